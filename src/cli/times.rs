//! Spans of time and sizes in Docker's words (`About a minute`, `14.2MB`), and timestamps in its form.

use chrono::{DateTime, Local, Offset, SecondsFormat, Utc};

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

/// Decimal units with so many significant digits: Docker's lists show three (`14.2MB`), its other sizes four.
pub fn human_size(bytes: u64, digits: usize) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1000.0 && unit + 1 < units.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{}{}", significant(size, digits), units.get(unit).copied().unwrap_or_default())
}

/// C's and Go's `%.Ng` for 0 <= n < 1000: no trailing zeros, and an exponent where rounding needs a digit too many
/// (999.9 in three digits is `1e+03`: that is what Docker prints).
fn significant(n: f64, digits: usize) -> String {
    if n == 0.0 {
        return "0".into();
    }
    let scientific = format!("{:.*e}", digits.saturating_sub(1), n);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if exponent >= digits as i32 {
        return format!("{}e+{exponent:02}", trim(mantissa));
    }
    trim(&format!("{n:.*}", (digits as i32 - 1 - exponent).max(0) as usize))
}

/// RFC 3339 in UTC with as many digits of the second as are not zero; Docker's zero time where there is none.
pub fn rfc3339(time: Option<DateTime<Utc>>) -> String {
    let Some(time) = time else { return "0001-01-01T00:00:00Z".into() };
    let text = time.to_rfc3339_opts(SecondsFormat::Nanos, true);
    let short = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    // A whole second ends in its own digits: only a fraction's zeros may go.
    let seconds = text.split('.').next().unwrap_or(&text);
    format!("{}Z", if short.len() > seconds.len() { short } else { seconds })
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
        for (bytes, three, four) in [
            (0, "0B", "0B"),
            (615, "615B", "615B"),
            (1000, "1kB", "1kB"),
            (14_200_000, "14.2MB", "14.2MB"),
            (14_234_567, "14.2MB", "14.23MB"),
            (187_654_321, "188MB", "187.7MB"),
            (999_900, "1e+03kB", "999.9kB"),
            (4_000_000_000, "4GB", "4GB"),
            (1_050_000, "1.05MB", "1.05MB"),
            (u64::MAX, "18.4EB", "18.45EB"),
        ] {
            assert_eq!((human_size(bytes, 3).as_str(), human_size(bytes, 4).as_str()), (three, four));
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
