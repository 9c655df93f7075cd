//! Where a request comes from: an address that can't be forged, and a short name of the device.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use domain::authz::Origin;
use http::{HeaderMap, header, request::Parts};
use ipnet::IpNet;

/// What proxies say of whom they speak for.
const FORWARDED: &str = "x-forwarded-for";
/// A device's name is never longer, and no more than some of what the client says is looked at.
const DEVICE_MAX: usize = 100;
const AGENT_MAX: usize = 512;

/// Where a request comes from. Without a socket, as in a test without one, the address is empty.
pub fn origin(parts: &Parts, trusted: &[IpNet]) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let agent = parts.headers.get(header::USER_AGENT).map_or(b"".as_slice(), |value| value.as_bytes());
    Origin {
        ip: peer.map_or_else(String::new, |peer| address(peer, &parts.headers, trusted).to_string()),
        device: device(&String::from_utf8_lossy(agent)),
    }
}

/// What tries are counted under: a household or office has one IPv4 address, but a whole /64 of IPv6.
pub fn network(ip: &str) -> String {
    match ip.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Err(_) => "unknown".to_owned(),
    }
}

/// The right-most address that isn't a trusted proxy's own. Each proxy adds, at the right, who spoke to it; what stands
/// further left was said by someone we don't know.
fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines = headers.get_all(FORWARDED).iter().rev();
    for hop in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
        if !trusted.iter().any(|network| network.contains(&address)) {
            break;
        }
        // Past a word that can't be read nothing can be believed.
        match read_hop(hop) {
            Some(before) => address = before,
            None => break,
        }
    }
    address
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn read_hop(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

/// What names a browser, the more special first: nearly all of them also call themselves Chrome or Safari.
const BROWSERS: [(&str, &str); 15] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPiOS/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("Trident/", "Internet Explorer"),
];
/// What names a system; an iPhone also says Mac, and Android also says Linux.
const SYSTEMS: [(&str, &str); 9] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

/// "Firefox on Windows", "Safari on iPhone", "curl". It is shown to people and decides nothing.
fn device(agent: &str) -> String {
    let agent: String = agent.chars().take(AGENT_MAX).filter(|c| !c.is_control()).collect();
    let named = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) if agent.starts_with("Mozilla/") => format!("Browser on {system}"),
        _ => program(&agent),
    }
}

/// The name that a program gives itself: what stands before its version.
fn program(agent: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(*c, '-' | '_' | '.');
    let name: String = agent.trim_start().chars().take_while(plain).take(DEVICE_MAX).collect();
    if name.is_empty() || name == "Mozilla" { "Unknown device".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, lines: &[&[u8]], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED, http::HeaderValue::from_bytes(line).unwrap());
        }
        let trusted: Vec<IpNet> = trusted.split_whitespace().map(|net| net.parse().unwrap()).collect();
        address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_forged_header_changes_nothing() {
        assert_eq!(seen("203.0.113.7", &[b"198.51.100.1"], ""), "203.0.113.7");
        assert_eq!(seen("203.0.113.7", &[b"198.51.100.1"], "10.0.0.0/8"), "203.0.113.7");
        // A trusted proxy wrote the last word; what came with the request stands before it.
        assert_eq!(seen("10.0.0.1", &[b"198.51.100.1, 203.0.113.7"], "10.0.0.0/8"), "203.0.113.7");
        assert_eq!(seen("10.0.0.1", &[b"198.51.100.1", b"203.0.113.7"], "10.0.0.0/8"), "203.0.113.7");
        // Trusted addresses inside the forged part are never reached.
        assert_eq!(seen("10.0.0.1", &[b"8.8.8.8, 10.0.0.9, 203.0.113.7"], "10.0.0.0/8"), "203.0.113.7");
    }

    #[test]
    fn every_trusted_hop_is_passed_and_no_other() {
        let trusted = "10.0.0.0/8 192.0.2.5/32 2001:db8:ffff::/48";
        assert_eq!(seen("10.0.0.1", &[b"203.0.113.7, 192.0.2.5,10.2.3.4"], trusted), "203.0.113.7");
        assert_eq!(seen("10.0.0.1", &[b"203.0.113.7, 192.0.2.6, 10.2.3.4"], trusted), "192.0.2.6");
        assert_eq!(seen("2001:db8:ffff::1", &[b"2001:db8::7"], trusted), "2001:db8::7");
        // A socket that speaks both families shows IPv4 addresses inside IPv6.
        assert_eq!(seen("::ffff:10.0.0.1", &[b"::ffff:203.0.113.7"], trusted), "203.0.113.7");
        assert_eq!(seen("10.0.0.1", &[], trusted), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", &[b"10.0.0.2"], trusted), "10.0.0.2");
    }

    #[test]
    fn what_cannot_be_read_ends_the_walk() {
        for bad in
            [&b"203.0.113.7, unknown"[..], b"203.0.113.7,", b"203.0.113.7, \xff", b"1.1.1.1, 300.1.1.1"]
        {
            assert_eq!(seen("10.0.0.1", &[bad], "10.0.0.0/8"), "10.0.0.1", "{bad:?}");
        }
        assert_eq!(seen("10.0.0.1", &[b"6.6.6.6", b"\xff, 203.0.113.7"], "10.0.0.0/8"), "203.0.113.7");
        for (hop, ip) in
            [("[2001:db8::1]:443", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("1.2.3.4:5", "1.2.3.4")]
        {
            assert_eq!(seen("10.0.0.1", &[hop.as_bytes()], "10.0.0.0/8"), ip);
        }
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_eq!(network(""), "unknown");
    }

    #[test]
    fn devices_have_short_names() {
        let mozilla = |rest: &str| device(&format!("Mozilla/5.0 {rest}"));
        for (agent, name) in [
            ("(Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            (
                "(X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "(iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "(iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 FxiOS/139.0 Mobile/15E148 Safari/605.1.15",
                "Firefox on iPhone",
            ),
            (
                "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                "Safari on Mac",
            ),
            (
                "(Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
                "Edge on Windows",
            ),
            (
                "(Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "(X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            ("(compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Unknown device"),
            ("(Windows NT 6.1)", "Browser on Windows"),
        ] {
            assert_eq!(mozilla(agent), name, "{agent}");
        }
        for (agent, name) in [
            ("curl/8.14.1", "curl"),
            ("python-requests/2.32", "python-requests"),
            ("", "Unknown device"),
            ("<script>alert(1)</script>", "Unknown device"),
            ("\u{202e}evil\r\n\0", "Unknown device"),
        ] {
            assert_eq!(device(agent), name);
        }
        assert_eq!(device(&"x".repeat(5000)).len(), DEVICE_MAX);
    }
}
