//! Four floats at a time, two of twice the precision, or products of eight whole numbers: a WebAssembly vector, or an array where tests run natively.

#[cfg(target_arch = "wasm32")]
mod arch {
    use core::arch::wasm32::{
        f32x4, f32x4_abs, f32x4_add, f32x4_extract_lane, f32x4_floor, f32x4_mul, f32x4_pmax,
        f32x4_pmin, f32x4_splat, f32x4_sub, f64x2, f64x2_add, f64x2_extract_lane, f64x2_mul,
        f64x2_splat, f64x2_sub, i16x8, i32x4_add, i32x4_dot_i16x8, i32x4_extract_lane,
        i32x4_shuffle, i32x4_splat, i32x4_trunc_sat_f32x4, v128, v128_and, v128_or,
    };

    #[derive(Clone, Copy)]
    pub struct D2(v128);

    impl D2 {
        #[inline(always)]
        pub fn splat(x: f64) -> Self {
            Self(f64x2_splat(x))
        }

        #[inline(always)]
        pub fn new([a, b]: [f64; 2]) -> Self {
            Self(f64x2(a, b))
        }

        #[inline(always)]
        pub fn to_array(self) -> [f64; 2] {
            [
                f64x2_extract_lane::<0>(self.0),
                f64x2_extract_lane::<1>(self.0),
            ]
        }

        #[inline(always)]
        pub fn plus(self, other: Self) -> Self {
            Self(f64x2_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn minus(self, other: Self) -> Self {
            Self(f64x2_sub(self.0, other.0))
        }

        #[inline(always)]
        pub fn times(self, other: Self) -> Self {
            Self(f64x2_mul(self.0, other.0))
        }
    }

    /// Eight numbers of 16 bits.
    #[derive(Clone, Copy)]
    pub struct S8(v128);

    impl S8 {
        #[inline(always)]
        pub fn new([a, b, c, d, e, f, g, h]: [i16; 8]) -> Self {
            Self(i16x8(a, b, c, d, e, f, g, h))
        }

        /// The same two four times.
        #[inline(always)]
        pub fn splat([a, b]: [i16; 2]) -> Self {
            let [a, b] = [a, b].map(i16::cast_unsigned).map(u32::from);
            Self(i32x4_splat((a | b << 16).cast_signed()))
        }
    }

    /// Four sums of 32 bits.
    #[derive(Clone, Copy)]
    pub struct I4(v128);

    impl I4 {
        #[inline(always)]
        pub fn zero() -> Self {
            Self(i32x4_splat(0))
        }

        /// Adds two neighbouring products to each. Beyond 32 bits it wraps.
        #[inline(always)]
        pub fn plus_products(self, a: S8, b: S8) -> Self {
            Self(i32x4_add(self.0, i32x4_dot_i16x8(a.0, b.0)))
        }

        #[inline(always)]
        pub fn to_array(self) -> [i32; 4] {
            [
                i32x4_extract_lane::<0>(self.0),
                i32x4_extract_lane::<1>(self.0),
                i32x4_extract_lane::<2>(self.0),
                i32x4_extract_lane::<3>(self.0),
            ]
        }
    }

    #[derive(Clone, Copy)]
    pub struct F4(v128);

    impl F4 {
        #[inline(always)]
        pub fn splat(x: f32) -> Self {
            Self(f32x4_splat(x))
        }

        #[inline(always)]
        pub fn new(x: [f32; 4]) -> Self {
            Self(f32x4(x[0], x[1], x[2], x[3]))
        }

        #[inline(always)]
        pub fn to_array(self) -> [f32; 4] {
            [
                f32x4_extract_lane::<0>(self.0),
                f32x4_extract_lane::<1>(self.0),
                f32x4_extract_lane::<2>(self.0),
                f32x4_extract_lane::<3>(self.0),
            ]
        }

        #[inline(always)]
        pub fn plus(self, other: Self) -> Self {
            Self(f32x4_add(self.0, other.0))
        }

        #[inline(always)]
        pub fn minus(self, other: Self) -> Self {
            Self(f32x4_sub(self.0, other.0))
        }

        #[inline(always)]
        pub fn times(self, other: Self) -> Self {
            Self(f32x4_mul(self.0, other.0))
        }

        #[inline(always)]
        pub fn abs(self) -> Self {
            Self(f32x4_abs(self.0))
        }

        /// A lane that is not a number becomes `max`.
        #[inline(always)]
        pub fn at_most(self, max: f32) -> Self {
            Self(f32x4_pmin(f32x4_splat(max), self.0))
        }

        /// Lane by lane the larger; that of `self` where one is not a number.
        #[inline(always)]
        pub fn or_larger(self, other: Self) -> Self {
            Self(f32x4_pmax(self.0, other.0))
        }

        #[inline(always)]
        pub fn floor(self) -> Self {
            Self(f32x4_floor(self.0))
        }

        #[inline(always)]
        pub fn with_sign_of(self, other: Self) -> Self {
            let sign = v128_and(other.0, f32x4_splat(-0.0));
            Self(v128_or(self.0, sign))
        }

        /// The lanes from last to first.
        #[inline(always)]
        pub fn reversed(self) -> Self {
            Self(i32x4_shuffle::<3, 2, 1, 0>(self.0, self.0))
        }

        /// Every second of eight lanes, and the others.
        #[inline(always)]
        pub fn unzip(self, other: Self) -> (Self, Self) {
            (
                Self(i32x4_shuffle::<0, 2, 4, 6>(self.0, other.0)),
                Self(i32x4_shuffle::<1, 3, 5, 7>(self.0, other.0)),
            )
        }

        /// Undoes [`unzip`](Self::unzip).
        #[inline(always)]
        pub fn zip_lanes(self, other: Self) -> (Self, Self) {
            (
                Self(i32x4_shuffle::<0, 4, 1, 5>(self.0, other.0)),
                Self(i32x4_shuffle::<2, 6, 3, 7>(self.0, other.0)),
            )
        }

        /// The entries of the table at the lanes' values, which are whole and within it.
        #[inline(always)]
        pub fn look_up(self, table: &[f32]) -> Self {
            let at = i32x4_trunc_sat_f32x4(self.0);
            Self(f32x4(
                table[i32x4_extract_lane::<0>(at) as usize],
                table[i32x4_extract_lane::<1>(at) as usize],
                table[i32x4_extract_lane::<2>(at) as usize],
                table[i32x4_extract_lane::<3>(at) as usize],
            ))
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod arch {
    #[derive(Clone, Copy)]
    pub struct D2([f64; 2]);

    impl D2 {
        pub fn splat(x: f64) -> Self {
            Self([x; 2])
        }

        pub fn new(x: [f64; 2]) -> Self {
            Self(x)
        }

        pub fn to_array(self) -> [f64; 2] {
            self.0
        }

        pub fn plus(self, other: Self) -> Self {
            Self([self.0[0] + other.0[0], self.0[1] + other.0[1]])
        }

        pub fn minus(self, other: Self) -> Self {
            Self([self.0[0] - other.0[0], self.0[1] - other.0[1]])
        }

        pub fn times(self, other: Self) -> Self {
            Self([self.0[0] * other.0[0], self.0[1] * other.0[1]])
        }
    }

    #[derive(Clone, Copy)]
    pub struct S8([i16; 8]);

    impl S8 {
        pub fn new(x: [i16; 8]) -> Self {
            Self(x)
        }

        pub fn splat([a, b]: [i16; 2]) -> Self {
            Self([a, b, a, b, a, b, a, b])
        }
    }

    #[derive(Clone, Copy)]
    pub struct I4([i32; 4]);

    impl I4 {
        pub fn zero() -> Self {
            Self([0; 4])
        }

        #[inline(always)]
        pub fn plus_products(self, a: S8, b: S8) -> Self {
            let product = |n: usize| i32::from(a.0[n]) * i32::from(b.0[n]);
            let pair = |lane: usize| product(2 * lane).wrapping_add(product(2 * lane + 1));
            Self(std::array::from_fn(|lane| {
                self.0[lane].wrapping_add(pair(lane))
            }))
        }

        pub fn to_array(self) -> [i32; 4] {
            self.0
        }
    }

    #[derive(Clone, Copy)]
    pub struct F4([f32; 4]);

    impl F4 {
        pub fn splat(x: f32) -> Self {
            Self([x; 4])
        }

        pub fn new(x: [f32; 4]) -> Self {
            Self(x)
        }

        pub fn to_array(self) -> [f32; 4] {
            self.0
        }

        pub fn plus(self, other: Self) -> Self {
            self.zip(other, |a, b| a + b)
        }

        pub fn minus(self, other: Self) -> Self {
            self.zip(other, |a, b| a - b)
        }

        pub fn times(self, other: Self) -> Self {
            self.zip(other, |a, b| a * b)
        }

        pub fn abs(self) -> Self {
            Self(self.0.map(f32::abs))
        }

        pub fn at_most(self, max: f32) -> Self {
            Self(self.0.map(|x| if x < max { x } else { max }))
        }

        pub fn or_larger(self, other: Self) -> Self {
            self.zip(other, |a, b| if a < b { b } else { a })
        }

        pub fn floor(self) -> Self {
            Self(self.0.map(f32::floor))
        }

        pub fn with_sign_of(self, other: Self) -> Self {
            self.zip(other, f32::copysign)
        }

        pub fn reversed(self) -> Self {
            let [a, b, c, d] = self.0;
            Self([d, c, b, a])
        }

        pub fn unzip(self, other: Self) -> (Self, Self) {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            (Self([a, c, e, g]), Self([b, d, f, h]))
        }

        pub fn zip_lanes(self, other: Self) -> (Self, Self) {
            let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
            (Self([a, e, b, f]), Self([c, g, d, h]))
        }

        pub fn look_up(self, table: &[f32]) -> Self {
            Self(self.0.map(|x| table[x as usize]))
        }

        #[inline(always)]
        fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
            Self(std::array::from_fn(|lane| f(self.0[lane], other.0[lane])))
        }
    }
}

pub use arch::{D2, F4, I4, S8};

impl F4 {
    /// The first four of a slice.
    #[inline(always)]
    pub fn load(from: &[f32]) -> Self {
        Self::new([from[0], from[1], from[2], from[3]])
    }

    #[inline(always)]
    pub fn store(self, to: &mut [f32]) {
        to[..4].copy_from_slice(&self.to_array());
    }

    /// Of four vectors, the first lanes in one, the second lanes in the next, and so on.
    #[inline(always)]
    pub fn transposed([a, b, c, d]: [Self; 4]) -> [Self; 4] {
        let ((a, b), (c, d)) = (a.zip_lanes(c), b.zip_lanes(d));
        let ((first, second), (third, fourth)) = (a.zip_lanes(c), b.zip_lanes(d));
        [first, second, third, fourth]
    }

    /// Lane by lane from the first.
    #[inline(always)]
    pub fn sum(self) -> f32 {
        let [a, b, c, d] = self.to_array();
        a + b + c + d
    }
}

#[cfg(test)]
mod tests {
    use super::F4;

    #[test]
    fn lanes_go_where_they_are_said_to_go() {
        let rows: [F4; 4] = std::array::from_fn(|row| {
            F4::new(std::array::from_fn(|lane| (10 * row + lane) as f32))
        });
        let columns = F4::transposed(rows).map(F4::to_array);
        assert_eq!(columns[1], [1.0, 11.0, 21.0, 31.0]);
        assert_eq!(columns[3], [3.0, 13.0, 23.0, 33.0]);
        let (even, odd) = rows[0].unzip(rows[1]);
        assert_eq!(even.to_array(), [0.0, 2.0, 10.0, 12.0]);
        assert_eq!(odd.to_array(), [1.0, 3.0, 11.0, 13.0]);
        let (first, second) = even.zip_lanes(odd);
        assert_eq!(
            (first.to_array(), second.to_array()),
            (rows[0].to_array(), rows[1].to_array())
        );
        assert_eq!(rows[2].reversed().to_array(), [23.0, 22.0, 21.0, 20.0]);
    }
}
