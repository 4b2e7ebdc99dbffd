//! When a way out may be tried again after it failed as such: soon at first, then ever more seldom, never by all couriers at once.

use std::time::Duration;

use tokio::time::Instant;

/// What is known of each courier's health. A courier that works is never held back because of another's trouble: "too many connections"
/// concerns only the one that is too many.
#[derive(Debug)]
pub struct Breaker {
    couriers: Vec<Health>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Health {
    /// Faults since it last worked.
    faults: usize,
    rests_until: Option<Instant>,
}

/// The rests after the first, second, … fault in a row.
const RESTS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(120),
    Duration::from_secs(300),
];

impl Breaker {
    /// For this many couriers, thought well of.
    pub fn new(couriers: usize) -> Self {
        Self {
            couriers: vec![Health::default(); couriers],
        }
    }

    /// Which of these idle couriers may be given a letter now. If none is known to work, it is one that tries for all.
    pub fn usable(&self, idle: &[usize]) -> Vec<usize> {
        self.usable_at(idle, Instant::now())
    }

    fn usable_at(&self, idle: &[usize], now: Instant) -> Vec<usize> {
        let mut usable: Vec<usize> = idle
            .iter()
            .copied()
            .filter(|k| {
                let health = self.couriers.get(*k);
                health.is_some_and(|h| h.rests_until.is_none_or(|until| until <= now))
            })
            .collect();
        if self.is_open() {
            let trying = idle.len() < self.couriers.len();
            usable.truncate(usize::from(!trying));
        }
        usable
    }

    /// This courier reached its server and was heard. Says whether that ends an outage.
    pub fn well(&mut self, courier: usize) -> bool {
        let ends = self.is_open();
        for (k, health) in self.couriers.iter_mut().enumerate() {
            if ends || k == courier {
                *health = Health::default();
            }
        }
        ends
    }

    /// This courier's way failed; how long it rests. When none works, all rest together.
    pub fn fault(&mut self, courier: usize) -> Duration {
        self.fault_at(courier, Instant::now())
    }

    fn fault_at(&mut self, courier: usize, now: Instant) -> Duration {
        let Some(health) = self.couriers.get_mut(courier) else {
            return Duration::ZERO;
        };
        let rest = RESTS
            .get(health.faults)
            .or(RESTS.last())
            .copied()
            .unwrap_or_default();
        health.faults = health.faults.saturating_add(1);
        health.rests_until = now.checked_add(rest);
        let worst = *health;
        if self.is_open() {
            self.couriers.fill(worst);
        }
        rest
    }

    /// How long until a resting courier may be tried; none if none rests.
    pub fn next_try(&self) -> Option<Duration> {
        let now = Instant::now();
        let next = self.next_try_at(now)?;
        Some(next.saturating_duration_since(now))
    }

    fn next_try_at(&self, now: Instant) -> Option<Instant> {
        self.couriers
            .iter()
            .filter_map(|health| health.rests_until.filter(|until| *until > now))
            .min()
    }

    fn is_open(&self) -> bool {
        self.couriers.iter().all(|health| health.faults > 0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "tests")]
    use super::*;

    #[test]
    fn in_an_outage_one_tries_for_all_and_ever_more_seldom() {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(2);
        assert_eq!(breaker.usable_at(&[0, 1], now), [0, 1]);
        assert_eq!(breaker.fault_at(0, now).as_secs(), 1);
        assert_eq!(breaker.usable_at(&[0, 1], now), [1], "the other is untried");
        assert_eq!(breaker.fault_at(1, now).as_secs(), 1);
        for rest in [5, 15, 60, 120, 300, 300] {
            assert!(breaker.usable_at(&[0, 1], now).is_empty());
            now = breaker.next_try_at(now).unwrap_or(now);
            assert_eq!(breaker.usable_at(&[0, 1], now), [0]);
            assert!(
                breaker.usable_at(&[1], now).is_empty(),
                "one is out already"
            );
            assert_eq!(breaker.fault_at(0, now).as_secs(), rest);
        }
        now = breaker.next_try_at(now).unwrap_or(now);
        assert!(breaker.well(0));
        assert_eq!(breaker.usable_at(&[0, 1], now), [0, 1]);
        assert_eq!(breaker.next_try_at(now), None);
    }

    #[test]
    fn one_connection_too_many_rests_alone() {
        let now = Instant::now();
        let mut breaker = Breaker::new(2);
        assert!(!breaker.well(0));
        breaker.fault_at(1, now);
        breaker.fault_at(1, now);
        assert_eq!(breaker.usable_at(&[0, 1], now), [0]);
        assert!(!breaker.well(0));
        let soon = now + Duration::from_secs(4);
        assert!(breaker.usable_at(&[1], soon).is_empty());
        assert_eq!(breaker.usable_at(&[1], now + Duration::from_secs(5)), [1]);
    }
}
