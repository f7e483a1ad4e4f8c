use contract::Time;
use contract::id::{AuditId, ClientId};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use serde_json::json;

use super::super::line;
use super::*;

const CLIENT: &str = "cl_00000000000000000000000000000001";

/// The lines of a day, in the order in which they were written, and how it ends.
fn day(day: &str, count: u64) -> (Vec<String>, DayEnd) {
    let mut previous = beginning(CLIENT, day);
    let mut lines = Vec::new();
    for number in 1..=count {
        let at = format!("{day}T00:00:{:02}.000Z", number % 60);
        let text = json!({
            "id": format!("aud_{number:032x}"), "at": at, "clientId": CLIENT, "action": "field_value.saved",
            "sequence": number, "previous": previous,
        });
        let text = text.to_string();
        previous = hash(&text);
        lines.push(line(&text, &previous));
    }
    (lines, DayEnd { day: day.to_owned(), entries: count, hash: previous })
}

/// An export of three days.
fn export() -> Vec<String> {
    let (mut lines, mut days) = (Vec::new(), Vec::new());
    for (name, count) in [("2026-01-30", 5), ("2026-01-31", 1), ("2026-02-02", 7)] {
        let (of_day, end) = day(name, count);
        lines.extend(of_day);
        days.push(end);
    }
    // They stand in the order of their times; who writes at once is chained in another one.
    lines.swap(1, 2);
    let whole: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let end = ExportEnd {
        id: "aud_00000000000000000000000000000009".parse::<AuditId>().unwrap(),
        at: Time::from_millis(1),
        client_id: CLIENT.parse::<ClientId>().ok(),
        actor: "usr_1".to_owned(),
        action: Action::AuditLogExported,
        resource: "audit-log".to_owned(),
        address: None,
        agent: String::new(),
        request_id: "req_1".to_owned(),
        days,
        previous: hash(&whole),
        hash: String::new(),
    };
    let text = serde_json::to_string(&end).unwrap_or_default();
    lines.push(line(&text, &hash(&text)));
    lines
}

fn verified(lines: &[String]) -> Report {
    let mut verifier = Verifier::new();
    lines.iter().for_each(|line| verifier.line(line));
    verifier.end()
}

fn of(day: &str) -> Day {
    Day { whose: CLIENT.to_owned(), day: day.to_owned() }
}

#[test]
fn what_was_exported_is_whole() {
    assert_eq!(verified(&export()), Report { entries: 13, days: 3, faults: Vec::new() });
}

#[test]
fn a_removed_line_is_named() {
    for (at, name, number) in
        [(0, "2026-01-30", 1), (1, "2026-01-30", 3), (4, "2026-01-30", 5), (5, "2026-01-31", 1), (12, "2026-02-02", 7)]
    {
        let mut lines = export();
        lines.remove(at);
        let missing = Fault::Missing { day: of(name), first: number, last: number };
        assert_eq!(verified(&lines).faults, [missing], "{at}");
    }
    let mut lines = export();
    lines.pop();
    assert_eq!(verified(&lines).faults, [Fault::CutOff]);
}

#[test]
fn an_altered_line_is_named() {
    for at in 0..13 {
        let mut lines = export();
        lines[at] = lines[at].replace("saved", "deleted");
        let faults = verified(&lines).faults;
        assert!(matches!(&faults[..], [Fault::Altered { line, .. }] if *line == at as u64 + 1), "{faults:?}");
    }
    let mut lines = export();
    lines[13] = lines[13].replace("usr_1", "usr_2");
    assert!(matches!(verified(&lines).faults[..], [Fault::Altered { line: 14, .. }]));
}

/// Whoever alters a line may give it the hash that goes with it: then the next one does not follow.
#[test]
fn a_line_with_a_hash_of_its_own_does_not_fit() {
    let mut lines = export();
    let (text, _) =
        split(&lines[7].replace("saved", "deleted")).map(|(text, sealed)| (text, sealed.to_owned())).unwrap();
    lines[7] = line(&text, &hash(&text));
    assert_eq!(verified(&lines).faults, [Fault::Unlinked { line: 9, day: of("2026-02-02"), number: 3 }]);
    // And the last one of a day does not end it.
    let mut lines = export();
    let (text, _) =
        split(&lines[5].replace("saved", "deleted")).map(|(text, sealed)| (text, sealed.to_owned())).unwrap();
    lines[5] = line(&text, &hash(&text));
    assert_eq!(verified(&lines).faults, [Fault::OtherEnd { day: of("2026-01-31") }]);
}

#[test]
fn what_does_not_belong_there_is_named() {
    let mut lines = export();
    lines.insert(3, lines[3].clone());
    assert!(matches!(verified(&lines).faults[..], [Fault::Repeated { number: 4, .. }]));
    let mut lines = export();
    lines.insert(3, "{}".to_owned());
    assert_eq!(verified(&lines).faults, [Fault::Unreadable { line: 4 }]);
    let mut lines = export();
    lines.push(lines[0].clone());
    assert_eq!(verified(&lines).faults, [Fault::Beyond { line: 15 }]);
    // A day that nothing was said of.
    let mut lines = export();
    let at = lines.len() - 1;
    lines.splice(at..at, day("2026-02-03", 2).0);
    assert!(matches!(&verified(&lines).faults[..], [Fault::Misplaced { day, .. }] if *day == of("2026-02-03")));
    // The same lines in another order.
    let mut lines = export();
    lines.swap(3, 4);
    assert_eq!(verified(&lines).faults, [Fault::OtherText]);
    assert_eq!(verified(&[]).faults, [Fault::CutOff]);
}

#[test]
fn what_is_stored_of_a_day_is_held_against_its_head() {
    let (lines, end) = day("2026-01-30", 4);
    let stored = |lines: &[String], end: &DayEnd| {
        let mut verifier = Verifier::new();
        lines.iter().for_each(|line| verifier.line(line));
        verifier.end_of_day(of("2026-01-30"), end).faults
    };
    assert_eq!(stored(&lines, &end), []);
    assert_eq!(stored(&lines[..3], &end), [Fault::Missing { day: of("2026-01-30"), first: 4, last: 4 }]);
    assert_eq!(stored(&[], &end), [Fault::Missing { day: of("2026-01-30"), first: 1, last: 4 }]);
    let other = DayEnd { entries: 3, ..end };
    assert_eq!(stored(&lines, &other), [Fault::OtherEnd { day: of("2026-01-30") }]);
}

proptest! {
    /// Whatever byte is another one, or whatever line is gone, is seen.
    #[test]
    fn nothing_can_be_changed_unseen(line in 0_usize..14, at in any::<usize>(), byte in b' '..=b'~') {
        let mut lines = export();
        let mut bytes = lines[line].clone().into_bytes();
        let at = at % bytes.len();
        let same = bytes[at] == byte;
        bytes[at] = byte;
        lines[line] = String::from_utf8(bytes).unwrap_or_default();
        prop_assert_eq!(verified(&lines).faults.is_empty(), same);
        lines.remove(line);
        prop_assert!(!verified(&lines).faults.is_empty());
    }

    #[test]
    fn any_text_is_read(lines in proptest::collection::vec(any::<String>(), 0..5)) {
        prop_assert!(!verified(&lines).faults.is_empty());
    }
}
