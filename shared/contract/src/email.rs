//! E-mail addresses: one validator and one form, for accounts and for fields (RFC 6531, domains by UTS #46).

use icu_casemap::CaseMapperBorrowed;
use icu_normalizer::DecomposingNormalizerBorrowed;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::Broken;
use crate::prose::{hidden, is_digit, is_letter, is_mark, is_shown, nfc, normal};

/// Octets, as SMTP counts (RFC 5321 §4.5.3.1).
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;
/// Punctuation and signs that names in some languages need (RFC 5892 §2.6 and appendix A.3 to A.7).
const DOMAIN_PUNCTUATION: &str = "-.\u{b7}\u{375}\u{5f3}\u{5f4}\u{6fd}\u{6fe}\u{f0b}\u{30fb}";
/// What stands between labels beside the dot (UTS #46 §4.5): Chinese and Japanese keyboards write these.
const OTHER_DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];
/// What no atom of a local part holds.
const SPECIALS: &str = " \"(),.:;<>@[\\]";

/// An address to which mail can be sent, in its normal form. Quoted local parts and address literals are none.
///
/// # Errors
/// `invalid_email`.
pub(crate) fn read(text: &str) -> Result<String, Broken> {
    let address = normal(text);
    let address = address
        .split_once('@')
        .map(|(local, domain)| (local, domain.replace(OTHER_DOTS, ".")))
        .filter(|(local, domain)| is_local_part(local) && ascii_domain(domain).is_some() && hidden(&address).is_none());
    address
        .map(|(local, domain)| format!("{local}@{domain}"))
        .filter(|address| address.len() <= MAX_ADDRESS)
        .ok_or_else(|| Broken::new("invalid_email", "Must be an e-mail address, like ada@example.com."))
}

/// The spelling under which an address is unique: without case (Unicode's full case folding), the domain in ASCII.
pub(crate) fn fold(address: &str) -> String {
    let (local, domain) = address.split_once('@').unwrap_or((address, ""));
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(local);
    let folded = CaseMapperBorrowed::new().fold_string(&decomposed);
    let domain = ascii_domain(domain).unwrap_or_else(|| domain.to_lowercase());
    format!("{}@{domain}", nfc(&folded))
}

/// The address for mail systems that do not speak RFC 6531, if they can have it: its domain in ASCII.
pub(crate) fn in_ascii(address: &str) -> Option<String> {
    let (local, domain) = address.split_once('@')?;
    local.is_ascii().then(|| Some(format!("{local}@{}", ascii_domain(domain)?)))?
}

/// RFC 6531's dot-string: atoms of ASCII's `atext` and of all else that has a shape, and none that others would take for
/// a special character of ASCII's (`＠`, `…`).
fn is_local_part(local: &str) -> bool {
    let compatible = DecomposingNormalizerBorrowed::new_nfkd();
    let is_special = |c: char| compatible.normalize(c.encode_utf8(&mut [0; 4])).contains(|c| SPECIALS.contains(c));
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(c)
            || is_of_a_word(c)
            || (!c.is_ascii() && is_shown(c) && !is_special(c))
    };
    let is_atom = |atom: &str| atom.chars().next().is_some_and(|first| !is_mark(first)) && atom.chars().all(fits);
    (1..=MAX_LOCAL_PART).contains(&local.len()) && local.split('.').all(is_atom)
}

/// Also the two joiners, which have to stand where letters need them.
fn is_of_a_word(c: char) -> bool {
    !c.is_ascii() && (is_letter(c) || is_mark(c) || is_digit(c) || matches!(c, '\u{200c}' | '\u{200d}'))
}

/// The domain as DNS knows it, if it is one of at least two labels, the last of which begins with a letter: none of
/// digits alone, which would be an IPv4 address.
fn ascii_domain(domain: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || DOMAIN_PUNCTUATION.contains(c) || is_of_a_word(c);
    if !domain.chars().all(fits) {
        return None;
    }
    let uts46 = Uts46::new();
    let ascii =
        uts46.to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify).ok()?;
    let (_, last) = ascii.rsplit_once('.')?;
    last.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| ascii.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::patterns::{email, matches};

    #[test]
    fn emails() {
        let long_label = format!("a@{}.example", "b".repeat(63));
        let long_local = format!("{}@b.example", "a".repeat(64));
        for good in [
            "a@b.example",
            "first.last+tag@sub.example.co.uk",
            "o'neil@x-y.de",
            "संपर्क@डाटामेल.भारत",
            "می‌خواهم@نامه‌ای.com",
            "用户@例子.广告",
            "квіточка@пошта.укр",
            "ทดสอบ@ไทย.ไทย",
            "θσερ@εχαμπλε.ψομ",
            "jose\u{301}@correo.example",
            "r3---sn@r4---sn.example",
            "a!#$%&'*+-/=?^_`{|}~@b.example",
            "a@xn--bcher-kva.example",
            "A@B.EXAMPLE",
            "a@ａｂ.example",
            "ü@bücher.example",
            "col·laboració@x.cat",
            "info@col·laboració.cat",
            "d’artagnan@x.example",
            "ko‘ngil@x.example",
            "ʻokina@x.example",
            "צה״ל@x.example",
            "コーヒー・豆@x.example",
            "བོད་ཡིག@བོད་ཡིག.example",
            "؋سندھي۽@سندھي۽.example",
            "i❤\u{fe0f}@x.example",
            "👩‍💻@x.example",
            "№5€@x.example",
            "用户@例子。广告",
            "a@b．example",
            "a@b｡c。example",
            &long_label,
            &long_local,
        ] {
            assert!(read(good).is_ok() && matches(&email(), good), "{good}");
        }
        let total = format!("a@{}.example", ["b".repeat(63), "c".repeat(63), "d".repeat(63), "e".repeat(63)].join("."));
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b@c.example",
            "a b@c.example",
            "a@b .example",
            "a@b..example",
            "a@.example",
            "a@b.example.",
            "a@-b.example",
            "a@b-.example",
            "a@b_c.example",
            ".a@b.example",
            "a.@b.example",
            "a..b@c.example",
            "\u{feff}a@b.example",
            "a\u{200b}@b.example",
            "a\u{200d}b@c.example",
            "a@b\u{ad}c.example",
            "a@\u{200b}b.example",
            "\u{301}a@b.example",
            "a.\u{301}b@c.example",
            "<script>@x.de",
            "a@localhost",
            "a@1.2",
            "a@b.0x7f",
            "a@xn--a.example",
            "a@xn--zzzzzzzzzz\u{e9}.example",
            "a@b。。example",
            "a@b。example。",
            "。a@b",
            "a＠b.example",
            "a＠b@c.example",
            "a．b@c.example",
            "a…b@c.example",
            "a，b@c.example",
            "a＜b＞@c.example",
            "a\u{a0}b@c.example",
            "a\u{3000}b@c.example",
            "a\u{2028}b@c.example",
            "a\u{2800}b@c.example",
            "a\u{85}b@c.example",
            "a\u{e000}b@c.example",
            "a\u{378}b@c.example",
            "a\u{ffff}b@c.example",
            "a\u{2067}b@c.example",
            "a\u{600}b@c.example",
            "a\u{fe0f}@c.example",
            "·\u{200d}a@c.example",
            "a@♥.example",
            "a@b.example\0",
            "a\tb@c.example",
            "a\0@b.example",
            "<a@b.example>",
            "\"a b\"@c.example",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a\u{202e}@b.example",
            &format!("{}@b.example", "a".repeat(65)),
            &format!("a@{}.example", "b".repeat(64)),
            &total,
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
            // What Unicode and IDNA say of single characters is beyond a pattern.
            let beyond = !bad.is_ascii() || bad.contains("xn--") || bad.len() > MAX_ADDRESS;
            assert!(beyond || !matches(&email(), bad), "{bad:?}");
        }
    }

    #[test]
    fn one_mailbox_has_one_form() {
        for same in [
            ["josé@x.example", "jose\u{301}@x.example", " JOSÉ@X.example\n"],
            ["ada@bücher.example", "Ada@BU\u{308}CHER.example", "ada@xn--bcher-kva.example"],
            ["straße@x.example", "STRASSE@x.example", "STRAẞE@x.example"],
            ["οδοσ@x.example", "ΟΔΟΣ@x.example", "οδος@x.example"],
            ["a@ab.example", "a@ａｂ.example", "A@AB.EXAMPLE"],
            ["a@b.example", "a@b。example", "a@b｡example"],
            ["a·b@x.example", "A·B@x.example", "a\u{387}b@x.example"],
        ] {
            let folded = same.map(|address| fold(&read(address).unwrap()));
            assert!(folded.iter().all(|other| *other == folded[0]), "{folded:?}");
        }
        assert_eq!(read(" jose\u{301}@X.example").as_deref(), Ok("josé@X.example"));
        assert_eq!(read("用户@例子。广告．cn").as_deref(), Ok("用户@例子.广告.cn"));
        assert_ne!(fold("ada@x.example"), fold("adá@x.example"));
        assert_ne!(fold("ışık@x.example"), fold("işık@x.example"));
    }

    #[test]
    fn a_domain_has_an_ascii_form_and_a_local_part_has_none() {
        assert_eq!(in_ascii("O'Neil+x@Example.com").as_deref(), Some("O'Neil+x@example.com"));
        assert_eq!(in_ascii("ada@bücher.example").as_deref(), Some("ada@xn--bcher-kva.example"));
        assert_eq!(in_ascii("josé@x.example"), None);
    }

    proptest! {
        #[test]
        fn what_is_read_is_read_again(
            text in prop_oneof![any::<String>(), "[\\PC]{1,4}@[\\PC.]{1,6}\\.[a-zé]{2}", "[a-z.]{1,5}@[a-z.-]{1,9}"],
        ) {
            if let Ok(once) = read(&text) {
                prop_assert_eq!(read(&once), Ok(once.clone()));
                let folded = fold(&once);
                prop_assert_eq!(fold(&folded), folded);
                // It stands in a header and in a list of addresses.
                let plain = |c: char| c.is_ascii_graphic() && !SPECIALS.replace(['.', '@'], "").contains(c);
                prop_assert!(in_ascii(&once).is_none_or(|ascii| ascii.chars().all(plain)));
            }
        }
    }
}
