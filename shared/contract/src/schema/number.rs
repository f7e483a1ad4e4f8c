//! Numbers without loss: JSON's may be `i64`, `u64` or `f64`, and a cast between them could move a bound.

use std::cmp::Ordering;

use serde_json::Number;

/// 2^127: below it every `f64` without a fraction fits an `i128`.
const TOO_BIG: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

/// 2^53
pub(super) const MAX_SAFE: i128 = 1 << 53;

enum Exact {
    Whole(i128),
    /// Has a fraction, or is at least 2^127 away from zero.
    Other(f64),
}

fn exact(number: &Number) -> Exact {
    if let Some(whole) = number.as_i128() {
        return Exact::Whole(whole);
    }
    let float = number.as_f64().unwrap_or(f64::NAN);
    if float.fract() == 0.0 && float.abs() < TOO_BIG { Exact::Whole(float as i128) } else { Exact::Other(float) }
}

/// The number as an integer, however it is written (`3.0` is one), if it is nearer to zero than 2^127.
pub(super) fn whole(number: &Number) -> Option<i128> {
    match exact(number) {
        Exact::Whole(whole) => Some(whole),
        Exact::Other(_) => None,
    }
}

/// Whether it is a whole number that a double tells from its neighbours: up to 2^53.
pub(super) fn is_safe_integer(number: &Number) -> bool {
    whole(number).is_some_and(|whole| whole.abs() <= MAX_SAFE)
}

/// On which side of all integers that are taken the number lies, if it does.
pub(super) fn beyond_safe(number: &Number) -> Ordering {
    match exact(number) {
        Exact::Whole(whole) if whole.abs() <= MAX_SAFE => Ordering::Equal,
        Exact::Whole(whole) => whole.cmp(&0),
        Exact::Other(float) if float.abs() < TOO_BIG => Ordering::Equal,
        Exact::Other(float) => {
            if float > 0.0 {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
    }
}

/// Whether the number has no fraction.
pub(super) fn is_integral(number: &Number) -> bool {
    match exact(number) {
        Exact::Whole(_) => true,
        Exact::Other(float) => float.fract() == 0.0,
    }
}

/// The exact order of two finite numbers.
pub(super) fn compare(left: &Number, right: &Number) -> Ordering {
    match (exact(left), exact(right)) {
        (Exact::Whole(left), Exact::Whole(right)) => left.cmp(&right),
        (Exact::Other(left), Exact::Other(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        (Exact::Whole(left), Exact::Other(right)) => compare_mixed(left, right),
        (Exact::Other(left), Exact::Whole(right)) => compare_mixed(right, left).reverse(),
    }
}

fn compare_mixed(whole: i128, other: f64) -> Ordering {
    if other.abs() >= TOO_BIG {
        if other > 0.0 { Ordering::Less } else { Ordering::Greater }
    } else if whole <= other.floor() as i128 {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

/// Whether an integer lies in `min..=max`.
pub(super) fn integer_between(min: &Number, max: &Number) -> bool {
    if compare(min, max) == Ordering::Greater {
        return false;
    }
    match (exact(min), exact(max)) {
        (Exact::Other(min), Exact::Other(max)) if min.abs() < TOO_BIG && max.abs() < TOO_BIG => {
            min.ceil() <= max.floor()
        }
        // One end is an integer itself.
        _ => true,
    }
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn number(value: &Value) -> Number {
        value.as_number().unwrap().clone()
    }

    #[test]
    fn order_is_exact_across_representations() {
        for (less, more) in [
            (json!(9_007_199_254_740_992_u64), json!(9_007_199_254_740_993_u64)),
            (json!(9_007_199_254_740_992.0), json!(9_007_199_254_740_993_u64)),
            (json!(u64::MAX), json!(18_446_744_073_709_551_616.0)),
            (json!(i64::MAX), json!(u64::MAX)),
            (json!(i64::MIN), json!(-9.0e18)),
            (json!(2), json!(2.5)),
            (json!(-2.5), json!(-2)),
            (json!(-3), json!(-2.5)),
            (json!(u64::MAX), json!(1e300)),
            (json!(-1e300), json!(i64::MIN)),
            (json!(0.1), json!(0.2)),
        ] {
            assert_eq!(compare(&number(&less), &number(&more)), Ordering::Less, "{less} {more}");
            assert_eq!(compare(&number(&more), &number(&less)), Ordering::Greater, "{less} {more}");
        }
        for (left, right) in [(json!(3), json!(3.0)), (json!(0), json!(-0.0)), (json!(1e300), json!(1e300))] {
            assert_eq!(compare(&number(&left), &number(&right)), Ordering::Equal, "{left} {right}");
        }
    }

    #[test]
    fn integers_are_what_mathematics_says() {
        for (value, integral) in
            [(json!(3.0), true), (json!(1e300), true), (json!(-0.5), false), (json!(u64::MAX), true)]
        {
            assert_eq!(is_integral(&number(&value)), integral, "{value}");
        }
        for (min, max, any) in [
            (json!(1.2), json!(1.8), false),
            (json!(1.2), json!(2.1), true),
            (json!(1), json!(1.5), true),
            (json!(0.5), json!(1), true),
            (json!(-0.5), json!(0.5), true),
            (json!(2), json!(1), false),
            (json!(-1e300), json!(1e300), true),
        ] {
            assert_eq!(integer_between(&number(&min), &number(&max)), any, "{min} {max}");
        }
    }

    proptest! {
        #[test]
        fn order_agrees_with_halves(left in any::<i32>(), right in any::<i32>()) {
            let halves = |n: i32| number(&json!(f64::from(n) / 2.0));
            let whole = |n: i32| number(&json!(n));
            prop_assert_eq!(compare(&halves(left), &halves(right)), left.cmp(&right));
            prop_assert_eq!(compare(&whole(left), &halves(right)), (i64::from(left) * 2).cmp(&i64::from(right)));
        }
    }
}
