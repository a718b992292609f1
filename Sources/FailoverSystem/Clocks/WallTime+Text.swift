package import FailoverCore
package import Glibc

extension WallTime {
    /// The current time of day of the system.
    package static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(sinceEpoch: .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
    }

    /// Date and time of day in UTC; gmtime(3). The year is limited to a thousand years before and after 1970.
    package var calendar: tm {
        var seconds = Int(bounded.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return parts
    }

    /// RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
    package var text: String {
        let milliseconds = bounded.milliseconds
        let parts = calendar
        let date = "\(parts.tm_year + 1900)-\(Self.padded(parts.tm_mon + 1, 2))-\(Self.padded(parts.tm_mday, 2))"
        let time = "\(Self.padded(parts.tm_hour, 2)):\(Self.padded(parts.tm_min, 2)):\(Self.padded(parts.tm_sec, 2))"
        return "\(date)T\(time).\(Self.padded(Int32(milliseconds), 3))Z"
    }

    /// Parses the format of ``text``; `nil` if the text has another format.
    package init?(text: String) {
        let pattern = /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z/
        guard let match = text.wholeMatch(of: pattern)?.output else { return nil }
        let numbers = [match.1, match.2, match.3, match.4, match.5, match.6, match.7].map { Int32($0) ?? 0 }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
        self.init(sinceEpoch: .seconds(timegm(&parts)) + .milliseconds(numbers[6]))
    }

    /// The time, limited, as whole seconds rounded down and the remaining milliseconds.
    private var bounded: (seconds: Int64, milliseconds: Int64) {
        let (seconds, attoseconds) = max(.zero - .longest, min(sinceEpoch, .longest)).components
        let milliseconds = attoseconds / 1_000_000_000_000_000
        return attoseconds < 0 ? (seconds - 1, min(999, 1000 + milliseconds)) : (seconds, milliseconds)
    }

    private static func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
