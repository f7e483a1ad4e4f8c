//! `hedgerow verify`: why a delivery's signature does not match.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use signature::{Verdict, explain, header};
use store::author::Clock;

use crate::given;
use crate::options::Verify;
use crate::services::StartError;

/// Prints what there is to say; gives whether the delivery is genuine.
///
/// # Errors
/// If a file can't be read, or a header is none.
#[expect(clippy::print_stdout, reason = "a command's output")]
pub fn run(options: &Verify) -> Result<bool, StartError> {
    let secret = given::secret(&options.secret)?;
    let mut headers = Vec::new();
    for given in &options.headers {
        headers.extend(read_headers(given)?);
    }
    let body = read_body(&options.body)?;
    let found = explain(&secret, headers.iter().map(|(name, value)| (name, value)), &body);
    println!("{found}");
    let (age, in_time) = age(&headers, options.tolerance, Clock::default().now().seconds());
    println!("{age}");
    Ok(found.verdict == Verdict::Genuine && in_time)
}

/// What there is to say of a delivery's age, and whether that is tolerated.
fn age(headers: &[(String, String)], tolerance: Option<u64>, now: i64) -> (String, bool) {
    let sent = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(header::TIMESTAMP));
    let Some(sent) = sent.and_then(|(_, value)| value.trim().parse::<i64>().ok()) else {
        let age = format!("No `{}` in seconds tells its age.", header::TIMESTAMP);
        return (age, tolerance.is_none());
    };
    let seconds = now.abs_diff(sent);
    let way = if sent > now { "ahead of this machine's clock" } else { "ago" };
    let mut age = format!("It was sent {} {way}.", span(seconds));
    let in_time = tolerance.is_none_or(|tolerance| seconds <= tolerance);
    if let Some(tolerance) = tolerance.filter(|_| !in_time) {
        age.push_str(&format!(" That is more than the {} that are tolerated.", span(tolerance)));
    }
    (age, in_time)
}

/// `1 h 2 min 3 s`
fn span(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let told: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}")).collect();
    if told.is_empty() { "0 s".to_owned() } else { told.join(" ") }
}

/// `Name: value`, or the file that holds such lines.
fn read_headers(given: &str) -> Result<Vec<(String, String)>, StartError> {
    let line = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim();
        let token =
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        token.then(|| (name.to_owned(), value.trim().to_owned()))
    };
    let file = given.strip_prefix('@').unwrap_or(given);
    if file == given && !Path::new(file).exists() {
        return Ok(vec![line(given).ok_or_else(|| format!("{given}: neither `Name: value` nor a file"))?]);
    }
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    // As `curl -v` writes them, too, and with the request's line before them.
    let lines = text.lines().map(|line| line.trim_start_matches(['<', '>']).trim());
    let lines = lines.filter(|line| !line.is_empty() && !line.contains(" HTTP/"));
    lines.map(|text| Ok(line(text).ok_or_else(|| format!("{file}: `{text}` is not `Name: value`"))?)).collect()
}

fn read_body(given: &str) -> Result<Vec<u8>, StartError> {
    if given == "-" {
        let mut body = Vec::new();
        io::stdin().read_to_end(&mut body)?;
        return Ok(body);
    }
    let file = given.strip_prefix('@').unwrap_or(given);
    Ok(fs::read(file).map_err(|error| format!("{file}: {error}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines_or_a_file_of_them() {
        let one = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read_headers("webhook-id:  evt_1 ").expect("a header"), [one("webhook-id", "evt_1")]);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("headers");
        fs::write(&file, "POST /x HTTP/1.1\r\n> Webhook-Id: evt_1\r\na: b: c\n\n").expect("a file");
        let all = [one("Webhook-Id", "evt_1"), one("a", "b: c")];
        for given in [file.display().to_string(), format!("@{}", file.display())] {
            assert_eq!(read_headers(&given).expect("headers"), all);
        }
        fs::write(&file, "{}").expect("a file");
        for bad in ["nothing", "two words: x", ": x", "@nothing", &file.display().to_string()] {
            assert!(read_headers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_age_is_told_and_held_to_what_is_tolerated() {
        let sent = |text: &str| vec![("Webhook-Timestamp".to_owned(), text.to_owned())];
        let age = |headers: &[(String, String)], tolerance| age(headers, tolerance, 100_000);
        assert_eq!(age(&sent("99995"), Some(5)), ("It was sent 5 s ago.".to_owned(), true));
        assert_eq!(age(&sent("100000"), None), ("It was sent 0 s ago.".to_owned(), true));
        let old = "It was sent 1 d 1 h 1 min ago. That is more than the 5 min that are tolerated.";
        assert_eq!(age(&sent("9940"), Some(300)), (old.to_owned(), false));
        assert!(age(&sent("100009"), Some(5)).0.starts_with("It was sent 9 s ahead of this machine's clock. "));
        assert!(!age(&sent("soon"), Some(5)).1);
        assert!(age(&[], None).1);
    }
}
