//! A school's own colour, made readable: light and dark shades of one hue, with text in them at least 4.5:1 on every
//! surface they lie on (WCAG AA).

use std::fmt::Write;

/// Contrast that text needs.
const AA: f64 = 4.5;
/// How far a shade moves at a time on its way to being readable.
const STEP: f64 = 0.005;

/// A colour in OKLCH: lightness in percent, chroma, hue in degrees, as written in style/tokens.css.
type Token = (f64, f64, f64);

/// What a theme lays accents on, and how light its shades are.
struct Theme {
    /// `--surface-0` to `--surface-2`.
    surfaces: [Token; 3],
    /// Lightness and most chroma of `--accent-soft`.
    soft: (f64, f64),
    /// Lightness and most chroma of `--on-accent`.
    on: (f64, f64),
    /// The lightness nearest to the background that an accent starts from.
    start: f64,
    /// Away from the background.
    away: f64,
    /// How much further `--accent-strong` is.
    stronger: f64,
}

const LIGHT: Theme = Theme {
    surfaces: [(97.8, 0.004, 90.0), (99.6, 0.002, 90.0), (95.0, 0.006, 90.0)],
    soft: (0.94, 0.03),
    on: (0.99, 0.005),
    start: 0.5,
    away: -1.0,
    stronger: 0.07,
};
const DARK: Theme = Theme {
    surfaces: [(20.5, 0.006, 260.0), (23.5, 0.007, 260.0), (28.0, 0.009, 260.0)],
    soft: (0.31, 0.04),
    on: (0.2, 0.03),
    start: 0.76,
    away: 1.0,
    stronger: 0.06,
};

/// The shades of one theme, as `#rrggbb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shades {
    /// Links, main buttons.
    pub accent: String,
    /// The same under the pointer.
    pub strong: String,
    /// Behind what is chosen.
    pub soft: String,
    /// Text on the accent.
    pub on: String,
    /// What they lie on: the page's panels.
    pub surface: String,
}

/// The style text that gives a page its school's colour; `None` when `hex` is no `#rrggbb`. It overrides the tokens
/// in their own layer, so that paper stays black on white.
pub fn css(hex: &str) -> Option<String> {
    let (light, dark) = (tokens(&shades(hex, &LIGHT)?), tokens(&shades(hex, &DARK)?));
    let mut css = String::from("@layer tokens{");
    // Only digits and letters of colours are put in here.
    let _ = write!(css, ":root{{{light}}}");
    let _ = write!(css, "@media (prefers-color-scheme:dark){{:root:not([data-theme=\"light\"]){{{dark}}}}}");
    let _ = write!(css, ":root[data-theme=\"dark\"]{{{dark}}}");
    css.push('}');
    Some(css)
}

/// The shades by light and by dark, for a preview.
pub fn both(hex: &str) -> Option<(Shades, Shades)> {
    Some((shades(hex, &LIGHT)?, shades(hex, &DARK)?))
}

fn tokens(shades: &Shades) -> String {
    let Shades { accent, strong, soft, on, surface: _ } = shades;
    format!("--accent:{accent};--accent-strong:{strong};--accent-soft:{soft};--on-accent:{on}")
}

fn shades(hex: &str, theme: &Theme) -> Option<Shades> {
    let own = Colour::of(Rgb::parse(hex)?);
    let tint = |(l, most): (f64, f64)| Colour { l, c: own.c.min(most), h: own.h }.rgb();
    let (soft, on) = (tint(theme.soft), tint(theme.on));
    let surfaces = theme.surfaces.map(|token| Colour::token(token).rgb());
    let readable = |shade: Rgb| {
        contrast(shade, on) >= AA && surfaces.iter().chain([&soft]).all(|under| contrast(shade, *under) >= AA)
    };
    // The school's own lightness where it can be read, else the nearest that can.
    let mut accent = own;
    accent.l = if theme.away < 0.0 { own.l.min(theme.start) } else { own.l.max(theme.start) };
    while !readable(accent.rgb()) && (0.0..=1.0).contains(&accent.l) {
        accent.l += theme.away * STEP;
    }
    // Black and white have no further to go: there the pointer brings them back a little.
    let mut strong = Colour { l: accent.l + theme.away * theme.stronger, ..accent };
    if !(0.05..=0.99).contains(&strong.l) {
        strong.l = accent.l - theme.away * theme.stronger;
    }
    let surface = surfaces.get(1)?.hex();
    Some(Shades {
        accent: accent.rgb().hex(),
        strong: strong.rgb().hex(),
        soft: soft.hex(),
        on: on.hex(),
        surface,
    })
}

/// A colour as screens have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rgb([u8; 3]);

impl Rgb {
    fn parse(hex: &str) -> Option<Self> {
        let digits = hex.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([r, g, b]))
    }

    fn hex(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    fn linear(self) -> [f64; 3] {
        self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// Relative luminance as WCAG defines it.
    fn luminance(self) -> f64 {
        let [r, g, b] = self.linear();
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }
}

fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// A colour as eyes have it, OKLCH: lightness 0 to 1, chroma, hue in radians.
#[derive(Clone, Copy, Debug)]
struct Colour {
    l: f64,
    c: f64,
    h: f64,
}

impl Colour {
    fn token((percent, c, degrees): Token) -> Self {
        Self { l: percent / 100.0, c, h: degrees.to_radians() }
    }

    fn of(rgb: Rgb) -> Self {
        let [r, g, b] = rgb.linear();
        let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
        let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
        let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
        let a = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
        let b = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
        let lightness = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
        Self { l: lightness, c: a.hypot(b), h: b.atan2(a) }
    }

    /// The nearest colour of this lightness and hue that a screen can show.
    fn rgb(self) -> Rgb {
        let mut shown = Self { l: self.l.clamp(0.0, 1.0), ..self };
        while shown.c > 0.001 && shown.linear().iter().any(|part| !(-0.0001..=1.0001).contains(part)) {
            shown.c *= 0.98;
        }
        Rgb(shown.linear().map(|part| {
            let part = part.clamp(0.0, 1.0);
            let part = if part <= 0.0031308 { part * 12.92 } else { 1.055 * part.powf(1.0 / 2.4) - 0.055 };
            // 0 to 255 by what is above.
            (part * 255.0).round() as u8
        }))
    }

    fn linear(self) -> [f64; 3] {
        let (a, b) = (self.c * self.h.cos(), self.c * self.h.sin());
        let l = (self.l + 0.3963377774 * a + 0.2158037573 * b).powi(3);
        let m = (self.l - 0.1055613458 * a - 0.0638541728 * b).powi(3);
        let s = (self.l - 0.0894841775 * a - 1.2914855480 * b).powi(3);
        [
            4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
            -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
            -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: &str = include_str!("../../../style/tokens.css");
    /// `--ink-1` to `--ink-3`, which stand on what is chosen.
    const INKS: [[Token; 3]; 2] = [
        [(24.0, 0.015, 260.0), (42.0, 0.015, 260.0), (50.0, 0.015, 260.0)],
        [(94.0, 0.005, 90.0), (80.0, 0.008, 90.0), (71.0, 0.01, 90.0)],
    ];

    fn oklch((l, c, h): Token) -> String {
        format!("oklch({l}% {c} {h})")
    }

    fn rgb(hex: &str) -> Rgb {
        Rgb::parse(hex).expect("a colour")
    }

    #[test]
    fn the_surfaces_and_inks_are_those_of_the_style_sheet() {
        let token = |name: &str, n: usize, light: &Token, dark: &Token| {
            let line = format!("--{name}-{n}: light-dark({}, {});", oklch(*light), oklch(*dark));
            assert!(TOKENS.contains(&line), "{line}");
        };
        for (n, (light, dark)) in LIGHT.surfaces.iter().zip(&DARK.surfaces).enumerate() {
            token("surface", n, light, dark);
        }
        for (n, (light, dark)) in INKS[0].iter().zip(&INKS[1]).enumerate() {
            token("ink", n + 1, light, dark);
        }
    }

    #[test]
    fn every_colour_can_be_read_in_both_themes() {
        let parts = [0u8, 1, 40, 85, 128, 170, 213, 254, 255];
        for r in parts {
            for g in parts {
                for b in parts {
                    let hex = Rgb([r, g, b]).hex();
                    for (theme, inks) in [&LIGHT, &DARK].into_iter().zip(INKS) {
                        let found = shades(&hex, theme).expect("shades");
                        let (on, soft) = (rgb(&found.on), rgb(&found.soft));
                        let mut under: Vec<Rgb> =
                            theme.surfaces.map(|token| Colour::token(token).rgb()).to_vec();
                        under.push(soft);
                        for shade in [&found.accent, &found.strong] {
                            let at = format!("{hex}: {found:?}");
                            assert!(contrast(rgb(shade), on) >= AA, "text on {shade}, {at}");
                            assert!(
                                under.iter().all(|under| contrast(rgb(shade), *under) >= AA),
                                "{shade}, {at}"
                            );
                        }
                        assert_ne!(found.accent, found.strong, "{hex}");
                        for ink in inks {
                            assert!(
                                contrast(Colour::token(ink).rgb(), soft) >= AA,
                                "ink on {hex}: {found:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_readable_colour_stays_what_it_is() {
        let (light, _) = both("#8a1c4a").expect("shades");
        let (own, shown) = (rgb("#8a1c4a").0, rgb(&light.accent).0);
        assert!(own.iter().zip(shown).all(|(own, shown)| own.abs_diff(shown) <= 1), "{light:?}");
    }

    #[test]
    fn contrast_is_as_wcag_counts_it() {
        assert!((contrast(rgb("#000000"), rgb("#ffffff")) - 21.0).abs() < 0.001);
        assert!((contrast(rgb("#767676"), rgb("#ffffff")) - 4.54).abs() < 0.01);
    }

    #[test]
    fn only_colours_become_style() {
        for bad in ["", "red", "#fff", "#12345g", "#1234567", "0a6b8a", "#+12345", "#0a6b8a;}", "#éé12"] {
            assert_eq!(css(bad), None, "{bad}");
        }
        let css = css("#0A6B8A").expect("a style");
        assert!(css.starts_with("@layer tokens{:root{--accent:#"), "{css}");
        assert_eq!(css.matches('{').count(), css.matches('}').count(), "{css}");
        assert_eq!(css.matches("--on-accent:#").count(), 3, "{css}");
        assert!(!css.contains('<'), "{css}");
    }
}
