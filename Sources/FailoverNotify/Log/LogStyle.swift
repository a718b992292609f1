import Glibc

/// How lines for people look, by who reads them.
package enum LogStyle: Hashable, Sendable {
    case plain
    /// The level's name in colour.
    case colour
    /// Priorities that systemd's journal takes off again; sd-daemon(3).
    case journal

    /// The style that suits a descriptor.
    ///
    /// - Parameter environment: looks up a variable. `JOURNAL_STREAM` names the journal's own descriptor by device and
    ///   inode; systemd.exec(5). `NO_COLOR`, if not empty, means what no-color.org says.
    package static func suiting(descriptor: Int32, environment: (String) -> String?) -> LogStyle {
        if let stream = environment("JOURNAL_STREAM"), stream == identity(of: descriptor) { return .journal }
        let wantsNoColour = environment("NO_COLOR").map { !$0.isEmpty } ?? false
        return isatty(descriptor) == 1 && !wantsNoColour && environment("TERM") != "dumb" ? .colour : .plain
    }

    /// The style that suits a descriptor in this process's environment.
    package static func suiting(descriptor: Int32) -> LogStyle {
        suiting(descriptor: descriptor) { name in getenv(name).map { String(cString: $0) } }
    }

    private static func identity(of descriptor: Int32) -> String? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return "\(status.st_dev):\(status.st_ino)"
    }
}
