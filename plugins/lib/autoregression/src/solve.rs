//! Solves for missing frames: a symmetric system in which only near ones pull at each other.

/// The Cholesky factor of such a system, each row stored from its first entry that is not 0.
pub struct Skyline {
    rows: Vec<Vec<f64>>,
}

impl Skyline {
    /// Frames at `places` (ascending) pull at each other by `pull[distance]`. `None` where the
    /// system is not positive definite.
    pub fn factor(places: &[usize], pull: &[f64]) -> Option<Self> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(places.len());
        let mut nearest = 0;
        for (i, place) in places.iter().enumerate() {
            while place - places[nearest] >= pull.len() {
                nearest += 1;
            }
            let mut row: Vec<f64> = places[nearest..=i]
                .iter()
                .map(|other| pull[place - other])
                .collect();
            for j in nearest..i {
                let above = &rows[j];
                let first = nearest.max(j + 1 - above.len());
                let ours = &row[first - nearest..j - nearest];
                let theirs = &above[first + above.len() - 1 - j..above.len() - 1];
                let sum = super::dot(ours, theirs);
                row[j - nearest] = (row[j - nearest] - sum) / above[above.len() - 1];
            }
            let (diagonal, before) = row.split_last_mut()?;
            let left = *diagonal - super::dot(before, before);
            if left <= 1e-14 * *diagonal {
                return None;
            }
            *diagonal = left.sqrt();
            rows.push(row);
        }
        Some(Self { rows })
    }

    /// Replaces the right side by the solution.
    pub fn solve(&self, right: &mut [f64]) {
        for (i, row) in self.rows.iter().enumerate() {
            let first = i + 1 - row.len();
            let known = super::dot(&row[..row.len() - 1], &right[first..i]);
            right[i] = (right[i] - known) / row[row.len() - 1];
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            let first = i + 1 - row.len();
            right[i] /= row[row.len() - 1];
            let value = right[i];
            for (entry, right) in row[..row.len() - 1].iter().zip(&mut right[first..i]) {
                *right -= entry * value;
            }
        }
    }
}
