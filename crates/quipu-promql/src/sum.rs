//! Sums without the rounding of what was added one by one.

/// A compensated sum (Neumaier's variant of Kahan summation).
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn of(value: f64) -> Sum {
        Sum { sum: value, lost: 0.0 }
    }

    pub(crate) fn add_sum(&mut self, other: Sum) {
        self.add(other.sum);
        self.add(other.lost);
    }

    /// Applies a linear function.
    pub(crate) fn map(self, change: impl Fn(f64) -> f64) -> Sum {
        Sum { sum: change(self.sum), lost: change(self.lost) }
    }

    pub(crate) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        if sum.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.lost += (self.sum - sum) + value;
        } else {
            self.lost += (value - sum) + self.sum;
        }
        self.sum = sum;
    }

    pub(crate) fn value(self) -> f64 {
        self.sum + self.lost
    }
}
