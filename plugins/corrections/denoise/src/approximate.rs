//! Logarithm, exponential and exponential integral, good to a thousandth of a decibel, the last to a
//! tenth: enough for gains. They are made of arithmetic and bits only, so that the compiler turns
//! loops over bins into loops over vectors, and every machine gets the same result.

/// Binary logarithm of a positive, normal number, to within 1.2e-4 (0.0004 dB).
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    /// The bits of the square root of a half: mantissas are taken from there to its double.
    const LOWEST: i32 = 0x3f35_04f3;
    let bits = x.to_bits() as i32;
    let exponent = (bits - LOWEST) >> 23;
    let t = f32::from_bits((bits - (exponent << 23)) as u32) - 1.0;
    let series = 1.441_647_4 + t * (-0.724_952_8 + t * (0.518_620_4 + t * -0.330_077_2));
    exponent as f32 + t * series
}

/// 2 to the power of x, to within 8e-5 of its value (0.0007 dB); x is held within -100..=100.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    let x = at_least(at_most(x, 100.0), -100.0);
    let whole = (x + 0.5).floor();
    let t = x - whole;
    let power = 0.999_928_94 + t * (0.693_276_2 + t * (0.242_604_05 + t * 0.055_088_684));
    f32::from_bits((power.to_bits() as i32 + ((whole as i32) << 23)) as u32)
}

/// Half the exponential integral E1 of a positive x, times log2(e): the exponent of a gain as a power
/// of 2. To within 0.0142 (0.09 dB).
///
/// exp(-x) ln(1 + c/x) has E1's behaviour at both ends if c goes from exp(-Euler's constant) to 1;
/// how fast it goes there was fitted.
#[inline(always)]
pub fn half_e1_log2(x: f32, exp_minus_x: f32) -> f32 {
    const AT_ZERO: f32 = 0.561_459_5;
    const RATE: f32 = 2.354_736_8;
    let c_over_x = (AT_ZERO + RATE * x) / (x * (1.0 + RATE * x));
    0.5 * exp_minus_x * log2(1.0 + c_over_x)
}

// As comparisons and not as `f32::max`, whose rule for what is not a number costs several
// instructions each time.

#[inline(always)]
pub fn at_least(x: f32, least: f32) -> f32 {
    if x > least { x } else { least }
}

#[inline(always)]
pub fn at_most(x: f32, most: f32) -> f32 {
    if x < most { x } else { most }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 1e-12 to 1e12, a hundredth apart.
    fn magnitudes() -> impl Iterator<Item = f32> {
        (-5526..=5526).map(|n| (f64::from(n) * 0.005).exp() as f32)
    }

    #[test]
    fn the_logarithm_is_within_its_bound() {
        for x in magnitudes() {
            let error = f64::from(log2(x)) - f64::from(x).log2();
            assert!(error.abs() < 1.3e-4, "log2({x}) is off by {error}");
        }
    }

    #[test]
    fn the_exponential_is_within_its_bound() {
        for n in -10_000..=10_000 {
            let x = n as f32 * 0.01;
            let error = f64::from(exp2(x)) / f64::from(x).exp2() - 1.0;
            assert!(error.abs() < 8e-5, "2 to the {x} is off by {error}");
        }
        assert_eq!(exp2(f32::NEG_INFINITY), exp2(-100.0));
        assert_eq!(exp2(f32::INFINITY), exp2(100.0));
    }

    /// E1 by its series (Abramowitz and Stegun 5.1.11), and by its continued fraction (5.1.22) where
    /// the series loses digits.
    fn e1(x: f64) -> f64 {
        if x < 2.0 {
            let (mut term, mut sum) = (1.0, 0.0);
            for n in 1..60 {
                let n = f64::from(n);
                term *= -x / n;
                sum -= term / n;
            }
            return sum - x.ln() - 0.577_215_664_901_532_9;
        }
        let mut fraction = 0.0;
        for n in (1..200).rev() {
            let n = f64::from(n);
            fraction = n / (1.0 + n / (x + fraction));
        }
        (-x).exp() / (x + fraction)
    }

    #[test]
    fn the_exponential_integral_is_within_a_tenth_of_a_decibel() {
        assert!(
            (e1(1.0) - 0.219_383_934).abs() < 1e-8,
            "the reference itself"
        );
        assert!(
            (e1(5.0) - 0.001_148_296).abs() < 1e-8,
            "the reference itself"
        );
        for x in magnitudes().filter(|x| (1e-8..100.0).contains(x)) {
            let truth = 0.5 * e1(f64::from(x)) * std::f64::consts::LOG2_E;
            let error = f64::from(half_e1_log2(x, (-x).exp())) - truth;
            assert!(error.abs() < 0.0145, "E1({x}) is off by {error}");
        }
    }
}
