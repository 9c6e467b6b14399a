//! What the process uses of the machine, under the names that every program of Prometheus's world uses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Refresh;

/// The kernel counts the time of a process in hundredths of a second, whatever its own tick is.
const MS_A_TICK: u64 = 10;
const PAGE_BYTES: i64 = 4096;

pub(super) fn register(registry: &mut Registry, refresh: &mut Vec<Refresh>) {
    let cpu = Counter::<f64, AtomicU64>::default();
    let (memory, open, limit, threads) =
        (Gauge::<i64>::default(), Gauge::<i64>::default(), Gauge::<i64>::default(), Gauge::<i64>::default());
    registry.register("process_cpu_seconds", "Time on a CPU", cpu.clone());
    registry.register("process_resident_memory_bytes", "Memory in use", memory.clone());
    registry.register("process_open_fds", "File descriptors in use", open.clone());
    registry.register("process_max_fds", "File descriptors there may be", limit.clone());
    registry.register("process_threads", "Threads", threads.clone());
    let told = AtomicU64::new(0);
    refresh.push(Box::new(move || {
        let Some(now) = Usage::read() else { return };
        // The kernel counts, and what it counted since the last answer is told here.
        let grown = now.cpu_ticks.saturating_sub(told.swap(now.cpu_ticks, Ordering::Relaxed));
        cpu.inc_by(Duration::from_millis(grown * MS_A_TICK).as_secs_f64());
        memory.set(now.memory);
        open.set(now.open);
        limit.set(now.limit);
        threads.set(now.threads);
    }));
}

/// What `/proc` says; nothing on a system without one.
struct Usage {
    cpu_ticks: u64,
    memory: i64,
    open: i64,
    limit: i64,
    threads: i64,
}

impl Usage {
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name in parentheses may hold anything; what is behind it are numbers, beginning with the third.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |at: usize| fields.get(at - 3).and_then(|text| text.parse::<i64>().ok());
        let ticks = number(14)?.checked_add(number(15)?)?;
        let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
        let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        Some(Self {
            cpu_ticks: u64::try_from(ticks).ok()?,
            memory: number(24)?.checked_mul(PAGE_BYTES)?,
            open: i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()?,
            limit: files.split_whitespace().next()?.parse().unwrap_or(i64::MAX),
            threads: number(20)?,
        })
    }
}
