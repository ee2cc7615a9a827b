//! Listens to what the executor says of its journal, and kills this process at
//! a point of it: as a crash would, without a last word to anybody.

use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, raise};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::point::Point;

#[derive(Debug)]
pub struct Killer {
    point: Point,
    writing: AtomicUsize,
    written: AtomicUsize,
}

impl Killer {
    pub fn at(point: Point) -> Self {
        Self {
            point,
            writing: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        }
    }
}

impl<S: Subscriber> Layer<S> for Killer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let next = |count: &AtomicUsize| count.fetch_add(1, Ordering::SeqCst) + 1;
        let here = match event.metadata().name() {
            "journal.writing" => Point::Before(next(&self.writing)),
            "journal.written" => Point::After(next(&self.written)),
            _ => return,
        };
        if here == self.point {
            // What comes after it is never reached.
            let _ = raise(Signal::SIGKILL);
        }
    }
}
