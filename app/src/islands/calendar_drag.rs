//! Drags a lesson of the calendar to another time or column. The same can be done on the lesson's own page, so who can't
//! drag misses nothing.

use leptos::prelude::*;

/// Watches the calendar of a page. Draws nothing. `tenant` is the school's address.
#[island]
pub fn CalendarDrag(tenant: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::watch(tenant);
    #[cfg(not(feature = "hydrate"))]
    drop(tenant);
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::RefCell, rc::Rc};

    use leptos::{prelude::*, task::spawn_local};
    use wasm_bindgen::{JsCast, prelude::Closure};
    use web_sys::{Element, Event, KeyboardEvent, Node, PointerEvent};

    use crate::{AppError, actions::booking::moves::move_lesson};

    /// Where it is said why a lesson stays where it was.
    const SAID: &str = "calendar-said";
    /// Where a column's lessons stand.
    const COLUMN: &str = "#calendar [data-date]";
    /// An hour of the margin: four rows.
    const HOUR: &str = ".cal-hours > span";
    /// Minutes of a row.
    const ROW: i32 = 15;
    /// Pixels that a hand may tremble.
    const STILL: i32 = 6;

    #[derive(Default)]
    struct State {
        drag: Option<Drag>,
        /// The click that ends a drag opens nothing.
        swallow: bool,
        /// A lesson is on its way.
        busy: bool,
    }

    /// A lesson in the hand.
    struct Drag {
        block: Element,
        /// Where it was taken from: column, what came after it there, classes.
        home: Element,
        next: Option<Node>,
        class: String,
        row: i32,
        /// Where the pointer took it.
        from: (i32, i32),
        /// Rows between its top and the pointer.
        grip: i32,
        /// Pixels of a row.
        height: f64,
        /// Where it is now.
        column: Element,
        at: i32,
        moved: bool,
    }

    impl Drag {
        fn put_back(&self) {
            let _ = self.home.insert_before(&self.block, self.next.as_ref());
            self.block.set_class_name(&self.class);
        }

        /// Puts it under the pointer, as far as it may go there.
        fn follow(&mut self, x: i32, y: i32) {
            let under = document().element_from_point(x as f32, y as f32);
            let Some(column) = under.and_then(|element| element.closest(COLUMN).ok().flatten()) else {
                return;
            };
            // Columns of rooms and cars are no place to go to: what a lesson takes is the school's to choose.
            let elsewhere = !column.is_same_node(Some(&self.home));
            let same_day = column.get_attribute("data-date") == self.home.get_attribute("data-date");
            if elsewhere && same_day && !column.has_attribute("data-instructor") {
                return;
            }
            let rect = column.get_bounding_client_rect();
            let rows = number(&self.block, "data-rows").unwrap_or(1);
            let last = ((rect.height() / self.height).round() as i32 - rows).max(0);
            let under = ((f64::from(y) - rect.top()) / self.height).floor() as i32;
            self.at = (under - self.grip).clamp(0, last);
            if !column.is_same_node(self.block.parent_element().as_deref()) {
                let _ = column.append_child(&self.block);
            }
            self.column = column;
            // All but where it stood, and beside whom.
            let mut class: String = self
                .class
                .split_whitespace()
                .filter(|class| !class.starts_with("at-") && !class.starts_with("lane-"))
                .map(|class| format!("{class} "))
                .collect();
            class.push_str(&format!("dragging at-{}", self.at + 1));
            self.block.set_class_name(&class);
        }

        fn is_home(&self) -> bool {
            self.at == self.row && self.column.is_same_node(Some(&self.home))
        }

        /// What its new place says: day, time and who gives it. None beyond the end of the day.
        fn asked(&self) -> Option<Asked> {
            let text = |element: &Element, name: &str| element.get_attribute(name);
            // A lesson that doesn't begin with a row keeps the minutes it is off.
            let start = text(&self.block, "data-time")?;
            let (hour, minute) = start.split_once(':')?;
            let minutes = hour.parse::<i32>().ok()? * 60 + minute.parse::<i32>().ok()?;
            let minutes = minutes + (self.at - self.row) * ROW;
            (0..24 * 60).contains(&minutes).then_some(())?;
            Some(Asked {
                booking: text(&self.block, "data-booking")?,
                date: text(&self.column, "data-date")?,
                time: format!("{:02}:{:02}", minutes / 60, minutes % 60),
                instructor: text(&self.column, "data-instructor")
                    .or_else(|| text(&self.block, "data-instructor"))?,
            })
        }
    }

    struct Asked {
        booking: String,
        date: String,
        time: String,
        instructor: String,
    }

    /// Listens on the document, so that a grid that is renewed meanwhile needs nothing.
    pub(super) fn watch(tenant: String) {
        let state = Rc::new(RefCell::new(State::default()));
        let shared = Rc::clone(&state);
        listen("pointerdown", move |event| {
            if let Some(event) = event.dyn_ref::<PointerEvent>() {
                begin(&mut shared.borrow_mut(), event);
            }
        });
        let shared = Rc::clone(&state);
        listen("pointermove", move |event| {
            if let Some(event) = event.dyn_ref::<PointerEvent>() {
                follow(&mut shared.borrow_mut(), event);
            }
        });
        let shared = Rc::clone(&state);
        listen("pointerup", move |_| end(&shared, &tenant));
        let shared = Rc::clone(&state);
        listen("pointercancel", move |_| cancel(&mut shared.borrow_mut()));
        let shared = Rc::clone(&state);
        listen("keydown", move |event| {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
                cancel(&mut shared.borrow_mut());
            }
        });
        let shared = Rc::clone(&state);
        listen("click", move |event| {
            if std::mem::take(&mut shared.borrow_mut().swallow) {
                event.prevent_default();
                event.stop_propagation();
            }
        });
        // The browser has a way of its own to drag a link.
        listen("dragstart", move |event| {
            if state.borrow().drag.is_some() {
                event.prevent_default();
            }
        });
    }

    /// Listens as long as the page lives, before anything in it hears of the event.
    fn listen(name: &str, work: impl FnMut(Event) + 'static) {
        let work = Closure::<dyn FnMut(Event)>::new(work);
        let _ =
            document().add_event_listener_with_callback_and_bool(name, work.as_ref().unchecked_ref(), true);
        work.forget();
    }

    fn begin(state: &mut State, event: &PointerEvent) {
        state.swallow = false;
        // A finger scrolls, and keys held down open the link elsewhere.
        let other = event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if state.busy || other || event.button() != 0 || event.pointer_type() == "touch" {
            return;
        }
        state.drag = taken(event);
    }

    /// The lesson under the pointer, if it may be moved.
    fn taken(event: &PointerEvent) -> Option<Drag> {
        let target = event.target()?.dyn_into::<Element>().ok()?;
        let block = target.closest("a[data-booking]").ok()??;
        let home = block.closest(COLUMN).ok()??;
        let class = block.class_name();
        let line: i32 = class.split_whitespace().find_map(|class| class.strip_prefix("at-"))?.parse().ok()?;
        let hour = document().query_selector(HOUR).ok()??;
        let height = hour.get_bounding_client_rect().height() / 4.0;
        if height <= 0.0 {
            return None;
        }
        // Rows are counted from the column everywhere: the block has a margin of its own.
        let above = f64::from(event.client_y()) - home.get_bounding_client_rect().top();
        let rows = number(&block, "data-rows").unwrap_or(1).max(0);
        let row = line - 1;
        Some(Drag {
            next: block.next_sibling(),
            row,
            from: (event.client_x(), event.client_y()),
            grip: ((above / height).floor() as i32 - row).clamp(0, rows),
            height,
            column: home.clone(),
            at: row,
            moved: false,
            block,
            home,
            class,
        })
    }

    fn follow(state: &mut State, event: &PointerEvent) {
        let Some(drag) = &mut state.drag else { return };
        if event.buttons() == 0 {
            // It was let go outside of the window.
            cancel(state);
            return;
        }
        let (x, y) = (event.client_x(), event.client_y());
        let far = (x - drag.from.0).abs().max((y - drag.from.1).abs());
        if drag.moved || far >= STILL {
            drag.moved = true;
            drag.follow(x, y);
        }
    }

    fn cancel(state: &mut State) {
        if let Some(drag) = state.drag.take()
            && drag.moved
        {
            drag.put_back();
            state.swallow = true;
        }
    }

    fn end(state: &Rc<RefCell<State>>, tenant: &str) {
        let Some(drag) = state.borrow_mut().drag.take().filter(|drag| drag.moved) else { return };
        state.borrow_mut().swallow = true;
        let Some(asked) = drag.asked().filter(|_| !drag.is_home()) else {
            drag.put_back();
            return;
        };
        state.borrow_mut().busy = true;
        say("Moving it.");
        let (state, tenant) = (Rc::clone(state), tenant.to_owned());
        spawn_local(async move {
            let Asked { booking, date, time, instructor } = asked;
            let (clock, starts_at) = (String::new(), String::new());
            let (scope, reason) = ("this".to_owned(), "Moved in the calendar".to_owned());
            let outcome =
                move_lesson(tenant, booking, date, time, clock, instructor, scope, reason, starts_at).await;
            match outcome {
                // The page knows best what else has changed.
                Ok(_) => {
                    let _ = window().location().reload();
                }
                Err(error) => {
                    drag.put_back();
                    say(&why(error));
                    state.borrow_mut().busy = false;
                }
            }
        });
    }

    /// Why it stays where it was: what is wrong with a field says more than that something is.
    fn why(error: AppError) -> String {
        let said = error.fields.into_values().next().unwrap_or(error.message);
        format!("It stays where it was. {said}")
    }

    fn say(text: &str) {
        if let Some(line) = document().get_element_by_id(SAID) {
            line.set_text_content(Some(text));
        }
    }

    fn number(element: &Element, name: &str) -> Option<i32> {
        element.get_attribute(name)?.parse().ok()
    }
}
