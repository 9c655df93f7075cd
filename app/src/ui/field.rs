//! One field of a form: label above, help under it, the input, and beside it what is wrong and how to mend it.

use leptos::prelude::*;

use crate::cx::Form;

/// A field, built step by step and drawn by [`Field::view`].
#[derive(Clone, Debug)]
pub struct Field {
    control: Control,
    name: String,
    label: String,
    value: String,
    help: Option<String>,
    required: bool,
    autocomplete: Option<String>,
    max_length: Option<String>,
    min: Option<String>,
    max: Option<String>,
    rows: String,
    digits: bool,
}

#[derive(Clone, Debug)]
enum Control {
    Input(&'static str),
    Area,
    Select(Vec<(String, String)>),
    Radio(Vec<(String, String)>),
    Checkbox,
}

impl Field {
    fn new(control: Control, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            control,
            name: name.into(),
            label: label.into(),
            value: String::new(),
            help: None,
            required: false,
            autocomplete: None,
            max_length: None,
            min: None,
            max: None,
            rows: "4".into(),
            digits: false,
        }
    }

    /// A line of text.
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("text"), name, label)
    }

    /// An e-mail address.
    pub fn email(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("email"), name, label)
    }

    /// A phone number.
    pub fn tel(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("tel"), name, label)
    }

    /// A password; never filled in.
    pub fn password(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("password"), name, label)
    }

    /// A whole number.
    pub fn number(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("number"), name, label)
    }

    /// A day.
    pub fn date(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("date"), name, label)
    }

    /// A time of day.
    pub fn time_of_day(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Input("time"), name, label)
    }

    /// Several lines of text.
    pub fn area(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Area, name, label)
    }

    /// One of some: values and what they are called.
    pub fn select(name: impl Into<String>, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        Self::new(Control::Select(options), name, label)
    }

    /// One of a few, all in sight: values and what they are called.
    pub fn radio(name: impl Into<String>, label: impl Into<String>, options: Vec<(String, String)>) -> Self {
        Self::new(Control::Radio(options), name, label)
    }

    /// Yes or no: sends `on` when checked and nothing when not.
    pub fn checkbox(name: impl Into<String>, label: impl Into<String>) -> Self {
        Self::new(Control::Checkbox, name, label)
    }

    /// What stands there when nothing was typed; `on` checks a checkbox.
    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.value = value.into();
        self
    }

    /// A line under the label.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The browser asks for it before sending.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What the browser may fill in.
    pub fn autocomplete(mut self, what: impl Into<String>) -> Self {
        self.autocomplete = Some(what.into());
        self
    }

    /// Characters at most.
    pub fn max_length(mut self, n: impl ToString) -> Self {
        self.max_length = Some(n.to_string());
        self
    }

    /// The smallest number or earliest day.
    pub fn min(mut self, n: impl ToString) -> Self {
        self.min = Some(n.to_string());
        self
    }

    /// The largest number or latest day.
    pub fn max(mut self, n: impl ToString) -> Self {
        self.max = Some(n.to_string());
        self
    }

    /// Lines of an area.
    pub fn rows(mut self, n: impl ToString) -> Self {
        self.rows = n.to_string();
        self
    }

    /// Digits alone: a phone shows the keys for them.
    pub fn digits(mut self) -> Self {
        self.digits = true;
        self
    }

    /// Draws it with what was typed and what is wrong; the element's id is `{key}{name}`.
    pub fn view(self, form: &Form, key: &str) -> AnyView {
        let id = format!("{key}{}", self.name);
        let error = form.error(&self.name).map(str::to_owned);
        let described = described_by(&id, self.help.is_some(), error.is_some());
        let help = self.help.clone().map(|text| note(format!("{id}-help"), "help", text));
        let error_note = error.clone().map(|text| note(format!("{id}-error"), "error", text));
        let class = if error.is_some() { "field invalid" } else { "field" };
        let state = State { id: id.clone(), described, invalid: error.map(|_| "true") };
        if matches!(self.control, Control::Checkbox) {
            let checked =
                if form.was_refused() { !form.value(&self.name, "").is_empty() } else { self.value == "on" };
            return view! {
                <div class=format!("{class} check")>
                    {self.checkbox_input(state, checked)}
                    <label for=id>{self.label.clone()}</label>
                    {help}
                    {error_note}
                </div>
            }
            .into_any();
        }
        let value = form.value(&self.name, &self.value);
        if let Control::Radio(options) = &self.control {
            let buttons = self.radio_buttons(&state, &value, options.clone());
            let legend = self.label.clone();
            return view! {
                <fieldset class=format!("{class} radios")>
                    <legend>{legend}</legend>
                    {help}
                    {buttons}
                    {error_note}
                </fieldset>
            }
            .into_any();
        }
        view! {
            <div class=class>
                <label for=id>{self.label.clone()}</label>
                {help}
                {self.control_view(state, value)}
                {error_note}
            </div>
        }
        .into_any()
    }

    fn control_view(self, state: State, value: String) -> AnyView {
        match self.control.clone() {
            Control::Area => self.area_view(state, &value),
            Control::Select(options) => self.select_view(state, &value, options),
            Control::Input("password") => self.input_view(state, "password", None),
            Control::Input(kind) => self.input_view(state, kind, Some(value)),
            Control::Radio(_) | Control::Checkbox => ().into_any(),
        }
    }

    fn input_view(self, state: State, kind: &'static str, value: Option<String>) -> AnyView {
        let mode = (kind == "number" || self.digits).then_some("numeric");
        view! {
            <input
                type=kind
                id=state.id
                name=self.name
                value=value
                required=self.required
                autocomplete=self.autocomplete
                maxlength=self.max_length
                min=self.min
                max=self.max
                inputmode=mode
                aria-describedby=state.described
                aria-invalid=state.invalid
            />
        }
        .into_any()
    }

    fn area_view(self, state: State, value: &str) -> AnyView {
        view! {
            <textarea
                id=state.id
                name=self.name
                rows=self.rows
                required=self.required
                maxlength=self.max_length
                aria-describedby=state.described
                aria-invalid=state.invalid
                inner_html=textarea_text(value)
            ></textarea>
        }
        .into_any()
    }

    fn select_view(self, state: State, value: &str, options: Vec<(String, String)>) -> AnyView {
        let options: Vec<AnyView> = options
            .into_iter()
            .map(|(option, label)| {
                let selected = option == value;
                view! { <option value=option selected=selected>{label}</option> }.into_any()
            })
            .collect();
        view! {
            <select
                id=state.id
                name=self.name
                required=self.required
                autocomplete=self.autocomplete
                aria-describedby=state.described
                aria-invalid=state.invalid
            >
                {options}
            </select>
        }
        .into_any()
    }

    /// The first has the id of the field, so that the summary of errors leads to it.
    fn radio_buttons(&self, state: &State, value: &str, options: Vec<(String, String)>) -> Vec<AnyView> {
        let button = |(at, (option, label)): (usize, (String, String))| {
            let id = if at == 0 { state.id.clone() } else { format!("{}-{option}", state.id) };
            let (target, checked) = (id.clone(), option == value);
            let (name, described) = (self.name.clone(), state.described.clone());
            view! {
                <div class="field check">
                    <input
                        type="radio"
                        id=id
                        name=name
                        value=option
                        checked=checked
                        required=self.required
                        aria-describedby=described
                    />
                    <label for=target>{label}</label>
                </div>
            }
            .into_any()
        };
        options.into_iter().enumerate().map(button).collect()
    }

    fn checkbox_input(&self, state: State, checked: bool) -> AnyView {
        view! {
            <input
                type="checkbox"
                id=state.id
                name=self.name.clone()
                value="on"
                checked=checked
                required=self.required
                aria-describedby=state.described
                aria-invalid=state.invalid
            />
        }
        .into_any()
    }
}

/// What assistive technology learns of a field.
struct State {
    id: String,
    described: Option<String>,
    invalid: Option<&'static str>,
}

fn described_by(id: &str, help: bool, error: bool) -> Option<String> {
    match (help, error) {
        (true, true) => Some(format!("{id}-help {id}-error")),
        (true, false) => Some(format!("{id}-help")),
        (false, true) => Some(format!("{id}-error")),
        (false, false) => None,
    }
}

fn note(id: String, class: &'static str, text: String) -> AnyView {
    view! { <p class=class id=id>{text}</p> }.into_any()
}

/// Text as the inside of a `<textarea>`. Leptos 0.8 doesn't escape there (tachys, elements.rs), so this does; the
/// line break in front is the one that browsers drop.
pub fn textarea_text(text: &str) -> String {
    format!("\n{}", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textarea_cannot_be_left() {
        let field = Field::area("note", "Note").value("</textarea><script>alert(1)</script>&amp;");
        let html = field.view(&Form::default(), "").to_html();
        assert!(!html.contains("<script>"), "{html}");
        assert!(
            html.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;</textarea>"),
            "{html}"
        );
    }

    #[test]
    fn of_radio_buttons_one_is_chosen() {
        let options = vec![("a".to_owned(), "First".to_owned()), ("b".to_owned(), "Second".to_owned())];
        let html = Field::radio("kind", "Kind", options).value("b").view(&Form::default(), "").to_html();
        assert!(html.contains("<legend>Kind"), "{html}");
        assert!(html.contains("id=\"kind\"") && html.contains("for=\"kind-b\""), "{html}");
        assert_eq!(html.matches("checked").count(), 1, "{html}");
    }

    #[test]
    fn text_in_an_input_stays_in_its_attribute() {
        let html = Field::text("q", "Search").value("\"><b>").view(&Form::default(), "k").to_html();
        assert!(
            html.contains("value=\"&quot;&gt;&lt;b&gt;\"") || html.contains("value=\"&quot;><b>\""),
            "{html}"
        );
        assert!(html.contains("id=\"kq\"") && html.contains("for=\"kq\""), "{html}");
    }
}
