//! The complex Fourier transform of 480 points, on vectors of four.
//!
//! Four transforms of 120 points, one in each lane, of every fourth point each; then one of four points
//! across the lanes. 120 is 3 times 5 times 8, which have no factor in common, so that those need no
//! twiddle factors between them (I. J. Good, "The interaction algorithm and practical Fourier analysis",
//! Journal of the Royal Statistical Society B 20(2), 1958). Real and imaginary parts stand in arrays of
//! their own, so that lanes change places only where the four come together.

use std::f64::consts::PI;

use crate::lanes::F4;

pub const POINTS: usize = 480;
const LANES: usize = 4;
/// Points of a lane's transform.
const PART: usize = POINTS / LANES;

pub struct Fourier {
    /// Which of a lane's points stands in each place: places count by 3, then 5, then 8.
    inputs: [u8; PART],
    /// In which place a lane's result for each frequency is.
    outputs: [u8; PART],
    /// What lanes 1, 2 and 3 are turned by, for each frequency of a part.
    cosines: [[f32; PART]; LANES - 1],
    sines: [[f32; PART]; LANES - 1],
    re: [F4; PART],
    im: [F4; PART],
}

/// A complex number in each lane.
#[derive(Clone, Copy)]
struct C4 {
    re: F4,
    im: F4,
}

impl Fourier {
    pub fn new() -> Self {
        let (mut inputs, mut outputs) = ([0; PART], [0; PART]);
        for (place, input) in inputs.iter_mut().enumerate() {
            let (by_3, by_5, by_8) = (place % 3, place / 3 % 5, place / 15);
            *input = ((40 * by_3 + 24 * by_5 + 15 * by_8) % PART) as u8;
            // The only frequency with these rests.
            let frequency = (0..PART).find(|k| (k % 3, k % 5, k % 8) == (by_3, by_5, by_8));
            outputs[frequency.expect("3, 5 and 8 share no factor")] = place as u8;
        }
        let turn = |lane: usize, k: usize| 2.0 * PI * ((lane + 1) * k) as f64 / POINTS as f64;
        let table = |of: fn(f64) -> f64| {
            std::array::from_fn(|lane| std::array::from_fn(|k| of(turn(lane, k)) as f32))
        };
        let zero = F4::splat(0.0);
        Self {
            inputs,
            outputs,
            cosines: table(f64::cos),
            sines: table(f64::sin),
            re: [zero; PART],
            im: [zero; PART],
        }
    }

    /// `points` gives real and imaginary parts of four points from the one that it is asked for, a
    /// multiple of 4.
    #[inline(always)]
    pub fn run(
        &mut self,
        points: impl Fn(usize) -> (F4, F4),
        re: &mut [f32; POINTS],
        im: &mut [f32; POINTS],
    ) {
        self.by_three(points);
        self.by_five();
        self.by_eight();
        self.across(re, im);
    }

    #[inline(always)]
    fn by_three(&mut self, points: impl Fn(usize) -> (F4, F4)) {
        let half_root = F4::splat(0.75f32.sqrt());
        let half = F4::splat(0.5);
        let places = self.re.as_chunks_mut::<3>().0.iter_mut();
        let places = places.zip(self.im.as_chunks_mut::<3>().0);
        for ((re, im), inputs) in places.zip(self.inputs.as_chunks::<3>().0) {
            let [a, b, c] = inputs.map(|input| {
                let (re, im) = points(LANES * input as usize);
                C4 { re, im }
            });
            let (sum, difference) = (b.plus(c), b.minus(c).scaled(half_root));
            let middle = a.minus(sum.scaled(half));
            let out = [
                a.plus(sum),
                middle.minus_i(difference),
                middle.plus_i(difference),
            ];
            *re = out.map(|c| c.re);
            *im = out.map(|c| c.im);
        }
    }

    #[inline(always)]
    fn by_five(&mut self) {
        let [c1, c2, s1, s2] = [0.4f64, 0.8, 0.4, 0.8].map(|part| part * PI);
        let [c1, c2] = [c1, c2].map(|angle| F4::splat(angle.cos() as f32));
        let [s1, s2] = [s1, s2].map(|angle| F4::splat(angle.sin() as f32));
        let places = self.re.as_chunks_mut::<15>().0.iter_mut();
        for (re, im) in places.zip(self.im.as_chunks_mut::<15>().0) {
            for first in 0..3 {
                let [a, b, c, d, e] = std::array::from_fn(|n| C4 {
                    re: re[first + 3 * n],
                    im: im[first + 3 * n],
                });
                let (near, near_off) = (b.plus(e), b.minus(e));
                let (far, far_off) = (c.plus(d), c.minus(d));
                let out_1 = a.plus(near.scaled(c1)).plus(far.scaled(c2));
                let out_2 = a.plus(near.scaled(c2)).plus(far.scaled(c1));
                let turned_1 = near_off.scaled(s1).plus(far_off.scaled(s2));
                let turned_2 = near_off.scaled(s2).minus(far_off.scaled(s1));
                let out = [
                    a.plus(near).plus(far),
                    out_1.minus_i(turned_1),
                    out_2.minus_i(turned_2),
                    out_2.plus_i(turned_2),
                    out_1.plus_i(turned_1),
                ];
                for (n, out) in out.into_iter().enumerate() {
                    re[first + 3 * n] = out.re;
                    im[first + 3 * n] = out.im;
                }
            }
        }
    }

    #[inline(always)]
    fn by_eight(&mut self) {
        let root = F4::splat(0.5f32.sqrt());
        for first in 0..15 {
            let x: [C4; 8] = std::array::from_fn(|n| C4 {
                re: self.re[first + 15 * n],
                im: self.im[first + 15 * n],
            });
            let [a, c, e, g] = by_four([x[0], x[2], x[4], x[6]]);
            let [b, d, f, h] = by_four([x[1], x[3], x[5], x[7]]);
            // Turned by an eighth, a quarter and three eighths.
            let d = C4 {
                re: d.re.plus(d.im).times(root),
                im: d.im.minus(d.re).times(root),
            };
            let h = C4 {
                re: h.im.minus(h.re).times(root),
                im: F4::splat(0.0).minus(h.re.plus(h.im)).times(root),
            };
            let out = [
                a.plus(b),
                c.plus(d),
                e.minus_i(f),
                g.plus(h),
                a.minus(b),
                c.minus(d),
                e.plus_i(f),
                g.minus(h),
            ];
            for (n, out) in out.into_iter().enumerate() {
                self.re[first + 15 * n] = out.re;
                self.im[first + 15 * n] = out.im;
            }
        }
    }

    /// Brings the lanes together, four frequencies of each at a time.
    #[inline(always)]
    fn across(&mut self, re: &mut [f32; POINTS], im: &mut [f32; POINTS]) {
        for (four, outputs) in self.outputs.as_chunks::<4>().0.iter().enumerate() {
            let from = 4 * four;
            let of_lanes_re = F4::transposed(outputs.map(|place| self.re[place as usize]));
            let of_lanes_im = F4::transposed(outputs.map(|place| self.im[place as usize]));
            let lanes: [C4; LANES] = std::array::from_fn(|lane| {
                let (re, im) = (of_lanes_re[lane], of_lanes_im[lane]);
                if lane == 0 {
                    return C4 { re, im };
                }
                let cosine = F4::load(&self.cosines[lane - 1][from..]);
                let sine = F4::load(&self.sines[lane - 1][from..]);
                C4 {
                    re: re.times(cosine).plus(im.times(sine)),
                    im: im.times(cosine).minus(re.times(sine)),
                }
            });
            for (quarter, out) in by_four(lanes).into_iter().enumerate() {
                out.re.store(&mut re[quarter * PART + from..]);
                out.im.store(&mut im[quarter * PART + from..]);
            }
        }
    }
}

impl Default for Fourier {
    fn default() -> Self {
        Self::new()
    }
}

#[inline(always)]
fn by_four([a, b, c, d]: [C4; 4]) -> [C4; 4] {
    let (even, even_off) = (a.plus(c), a.minus(c));
    let (odd, odd_off) = (b.plus(d), b.minus(d));
    [
        even.plus(odd),
        even_off.minus_i(odd_off),
        even.minus(odd),
        even_off.plus_i(odd_off),
    ]
}

impl C4 {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self {
            re: self.re.plus(other.re),
            im: self.im.plus(other.im),
        }
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self {
            re: self.re.minus(other.re),
            im: self.im.minus(other.im),
        }
    }

    /// Plus i times the other.
    #[inline(always)]
    fn plus_i(self, other: Self) -> Self {
        Self {
            re: self.re.minus(other.im),
            im: self.im.plus(other.re),
        }
    }

    #[inline(always)]
    fn minus_i(self, other: Self) -> Self {
        Self {
            re: self.re.plus(other.im),
            im: self.im.minus(other.re),
        }
    }

    #[inline(always)]
    fn scaled(self, factor: F4) -> Self {
        Self {
            re: self.re.times(factor),
            im: self.im.times(factor),
        }
    }
}
