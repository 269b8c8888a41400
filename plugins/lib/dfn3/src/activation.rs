//! The functions between layers, good to a few units in the last place. They are made of arithmetic and
//! bits only, so that loops over them become loops over vectors and every machine gets the same result.

use std::f32::consts::{LN_2, LOG2_E};

#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exp(2.0 * x))
}

#[inline(always)]
pub fn relu(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// e to the power of x, which is held within ±87.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which then is the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x < 87.0 { x } else { 87.0 };
    let x = if x > -87.0 { x } else { -87.0 };
    let rounded = x * LOG2_E + ROUND;
    let whole = rounded - ROUND;
    // The logarithm of 2 in two parts: the product with the first is exact.
    const HIGH: f32 = 0.693_359_4;
    let t = (x - whole * HIGH) - whole * (LN_2 as f64 - HIGH as f64) as f32;
    let series = 1.0
        + t * (1.0
            + t * (0.5
                + t * (1.0 / 6.0
                    + t * (1.0 / 24.0 + t * (1.0 / 120.0 + t * (1.0 / 720.0 + t / 5040.0))))));
    let exponent = (rounded.to_bits() << 23).wrapping_add(127 << 23);
    series * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_within_a_few_units_of_the_truth() {
        for n in -100_000..=100_000 {
            let x = n as f32 * 1e-3;
            let wide = f64::from(x).clamp(-87.0, 87.0);
            let apart = f64::from(exp(x)) / wide.exp() - 1.0;
            assert!(apart.abs() < 4e-7, "exp({x}) is off by {apart}");
            let apart = f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp());
            assert!(apart.abs() < 1.2e-7, "sigmoid({x}) is off by {apart}");
            let apart = f64::from(tanh(x)) - wide.tanh();
            assert!(apart.abs() < 2.4e-7, "tanh({x}) is off by {apart}");
        }
    }

    #[test]
    fn what_is_not_a_number_or_without_bound_does_no_harm() {
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-30);
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert_eq!(relu(f32::NAN), 0.0);
    }
}
