//! Values to places on the screen, and the round numbers between them.

/// Ticks that are wanted between the ends.
const TICKS: f64 = 5.0;
/// Of the height: room over and under all.
const ROOM: f64 = 0.04;

/// From values to places from the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    top: f64,
    bottom: f64,
}

impl Scale {
    /// Everything of `values` lies between `top` and `bottom`.
    pub(super) fn new(values: &[f64], top: f64, bottom: f64) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low.is_finite() && high.is_finite() { (low, high) } else { (0.0, 1.0) };
        // What never moved lies in the middle.
        let span = if high > low { high - low } else { low.abs().max(1.0) * 0.1 };
        Self { low: low - span * ROOM, high: high + span * ROOM, top, bottom }
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)
    }

    /// One, two or five times a power of ten apart.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let rough = (self.high - self.low) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|by| by * power).find(|step| *step >= rough).unwrap_or(rough);
        let mut ticks = Vec::new();
        let mut at = (self.low / step).ceil();
        // Ten of them at most: the step is no smaller than a fifth of the whole.
        while at * step <= self.high && ticks.len() < 10 {
            ticks.push(at * step);
            at += 1.0;
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_values_lie_inside_and_more_is_higher() {
        let scale = Scale::new(&[29.3, 33.3], 40.0, 300.0);
        assert!(scale.y(33.3) >= 40.0 && scale.y(29.3) <= 300.0 && scale.y(33.3) < scale.y(29.3));
        assert_eq!(scale.ticks(), [30.0, 31.0, 32.0, 33.0]);
    }

    #[test]
    fn what_never_moved_or_is_not_there_breaks_nothing() {
        for values in [&[5.0, 5.0][..], &[0.0], &[]] {
            let scale = Scale::new(values, 40.0, 300.0);
            assert!(scale.y(5.0).is_finite() && !scale.ticks().is_empty(), "{values:?}");
        }
    }
}
