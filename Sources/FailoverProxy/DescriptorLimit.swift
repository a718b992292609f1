import Glibc

/// How many descriptors the process may have open.
struct DescriptorLimit {
    /// The limit in force.
    let descriptors: Int

    /// Kept back for pings, logs, listeners, files and cancel requests, which take a connection for each server.
    private static let reserve = 192

    /// Raises the soft limit to the hard one; getrlimit(2).
    static func raise() -> DescriptorLimit {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return DescriptorLimit(descriptors: 1024) }
        var raised = limit
        raised.rlim_cur = raised.rlim_max
        if setrlimit(resource, &raised) == 0 { limit = raised }
        return DescriptorLimit(descriptors: Int(clamping: limit.rlim_cur))
    }

    /// Sessions that these are enough for, at two each.
    var sessions: Int { max(1, (descriptors - min(Self.reserve, descriptors / 2)) / 2) }
}
