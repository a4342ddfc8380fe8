//! Spans of time and sizes in Docker's words (`About a minute`, `14.2MB`), and timestamps in its form.

use chrono::{DateTime, Local, Offset, Utc};

/// The learner's own time zone.
pub fn zone() -> chrono::FixedOffset {
    Local::now().offset().fix()
}

/// `7 seconds`, `About an hour`, `3 weeks`: one number, rounded down (but hours, which Docker rounds to the nearest).
/// A negative span (a clock that was set back) counts as none.
pub fn human_duration(span: chrono::TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let minutes = seconds / 60;
    let hours = (seconds + 1800) / 3600;
    match () {
        () if seconds < 1 => "Less than a second".into(),
        () if seconds == 1 => "1 second".into(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", seconds / 3600 / 24 / 365),
    }
}

/// `7 seconds ago`.
pub fn ago(now: DateTime<Utc>, then: DateTime<Utc>) -> String {
    format!("{} ago", human_duration(now - then))
}

/// Decimal units with three significant digits, as Docker's lists show them: `14.2MB`.
pub fn human_size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    // Go's `%.3g`: what rounding makes four digits of has an exponent, and that is what Docker prints.
    let rounded: f64 = format!("{size:.2e}").parse().unwrap_or(size);
    let number = if rounded < 1000.0 { rounded.to_string() } else { "1e+03".into() };
    number + units.get(unit).copied().unwrap_or_default()
}

/// RFC 3339 in UTC with as many digits of the second as are not zero; Docker's zero time where there is none.
pub fn rfc3339(time: Option<DateTime<Utc>>) -> String {
    let Some(time) = time else { return "0001-01-01T00:00:00Z".into() };
    let fraction = format!(".{:09}", time.timestamp_subsec_nanos());
    format!("{}{}Z", time.format("%FT%T"), fraction.trim_end_matches('0').trim_end_matches('.'))
}

/// `2026-03-04 14:06:07 +0900 KST`, as Go prints a local time. The zone's letters are not known here: its offset stands
/// for them, as Go does for a zone without letters.
pub(super) fn local(time: DateTime<Utc>, zone: chrono::FixedOffset) -> String {
    let letters = if zone.local_minus_utc() == 0 { "UTC" } else { "%z" };
    time.with_timezone(&zone).format(&format!("%Y-%m-%d %H:%M:%S %z {letters}")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone};

    #[test]
    fn spans() {
        let (m, h, d) = (60, 3600, 86400);
        for (seconds, text) in [
            (-5, "Less than a second"),
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"),
            (45 * m, "45 minutes"),
            (59 * m + 59, "59 minutes"),
            (h, "About an hour"),
            (h + 29 * m, "About an hour"),
            (h + 30 * m, "2 hours"),
            (47 * h, "47 hours"),
            (2 * d, "2 days"),
            (13 * d, "13 days"),
            (14 * d, "2 weeks"),
            (59 * d, "8 weeks"),
            (60 * d, "2 months"),
            (729 * d, "24 months"),
            (730 * d, "2 years"),
        ] {
            assert_eq!(human_duration(TimeDelta::seconds(seconds)), text, "{seconds}");
        }
    }

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0B"),
            (615, "615B"),
            (1000, "1kB"),
            (14_200_000, "14.2MB"),
            (14_234_567, "14.2MB"),
            (187_654_321, "188MB"),
            (999_900, "1e+03kB"),
            (4_000_000_000, "4GB"),
            (1_050_000, "1.05MB"),
            (u64::MAX, "18.4EB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
    }

    #[test]
    fn timestamps() {
        let at = |nanos| Utc.timestamp_opt(1_772_604_367, nanos).single();
        assert_eq!(rfc3339(None), "0001-01-01T00:00:00Z");
        assert_eq!(rfc3339(at(0)), "2026-03-04T06:06:07Z");
        assert_eq!(rfc3339(at(120_000_000)), "2026-03-04T06:06:07.12Z");
        assert_eq!(rfc3339(at(1)), "2026-03-04T06:06:07.000000001Z");
        let ten = Utc.timestamp_opt(1_772_604_370, 0).single();
        assert_eq!(rfc3339(ten), "2026-03-04T06:06:10Z");
        let seoul = chrono::FixedOffset::east_opt(9 * 3600).expect("an offset");
        let utc = chrono::FixedOffset::east_opt(0).expect("an offset");
        let time = at(5).expect("a time");
        assert_eq!(local(time, seoul), "2026-03-04 15:06:07 +0900 +0900");
        assert_eq!(local(time, utc), "2026-03-04 06:06:07 +0000 UTC");
    }
}
