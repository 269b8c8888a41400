//! Linear equations with a Hermitian positive matrix, by Cholesky's decomposition.

type Complex = (f64, f64);

#[derive(Debug, Default)]
pub struct Hermitian {
    order: usize,
    /// Row by row; only what is on the diagonal and right of it is set, below it stands the decomposition.
    matrix: Vec<Complex>,
    aims: Vec<Complex>,
    /// The decomposition's diagonal, which is real.
    diagonal: Vec<f64>,
}

impl Hermitian {
    pub fn clear(&mut self, order: usize) {
        self.order = order;
        self.matrix.clear();
        self.matrix.resize(order * order, (0.0, 0.0));
        self.aims.clear();
        self.aims.resize(order, (0.0, 0.0));
        self.diagonal.clear();
        self.diagonal.resize(order, 0.0);
    }

    /// An entry on the diagonal or right of it.
    pub fn set(&mut self, row: usize, column: usize, value: Complex) {
        self.matrix[row * self.order + column] = value;
    }

    pub fn aim(&mut self, row: usize, value: Complex) {
        self.aims[row] = value;
    }

    /// `regular` times the mean of the diagonal is added to it, and more where rounding has left a matrix that
    /// is not positive. `None`: there is nothing to solve.
    pub fn solve(&mut self, regular: f64) -> Option<&[Complex]> {
        let n = self.order;
        let trace: f64 = (0..n).map(|at| self.matrix[at * n + at].0).sum();
        if trace.is_nan() || trace <= 0.0 {
            return None;
        }
        let mean = trace / n as f64;
        let mut more = regular;
        while !self.decompose(more * mean) {
            more = 100.0 * more.max(1e-12);
            if more > 1.0 {
                return None;
            }
        }
        // L z = b, then L^H x = z.
        for i in 0..n {
            let mut sum = self.aims[i];
            for k in 0..i {
                let product = times(self.lower(i, k), self.aims[k]);
                sum = (sum.0 - product.0, sum.1 - product.1);
            }
            let over = self.diagonal[i];
            self.aims[i] = (sum.0 / over, sum.1 / over);
        }
        for i in (0..n).rev() {
            let mut sum = self.aims[i];
            for k in i + 1..n {
                let product = times(conjugate(self.lower(k, i)), self.aims[k]);
                sum = (sum.0 - product.0, sum.1 - product.1);
            }
            let over = self.diagonal[i];
            self.aims[i] = (sum.0 / over, sum.1 / over);
        }
        Some(&self.aims)
    }

    /// A = L L^H, with so much more on the diagonal. Row `i` of A right of its diagonal is column `i` below it,
    /// conjugated.
    fn decompose(&mut self, more: f64) -> bool {
        let n = self.order;
        for i in 0..n {
            for j in 0..=i {
                let mut sum = conjugate(self.matrix[j * n + i]);
                for k in 0..j {
                    let product = times(self.lower(i, k), conjugate(self.lower(j, k)));
                    sum = (sum.0 - product.0, sum.1 - product.1);
                }
                if i == j {
                    let square = sum.0 + more;
                    // All but a ten-millionth of what was there has gone: what is left is rounding.
                    if square.is_nan() || square <= 1e-7 * self.matrix[i * n + i].0 {
                        return false;
                    }
                    self.diagonal[i] = square.sqrt();
                } else {
                    let over = self.diagonal[j];
                    self.matrix[i * n + j] = (sum.0 / over, sum.1 / over);
                }
            }
        }
        true
    }

    fn lower(&self, row: usize, column: usize) -> Complex {
        self.matrix[row * self.order + column]
    }
}

fn times(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

fn conjugate(a: Complex) -> Complex {
    (a.0, -a.1)
}
