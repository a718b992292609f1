import FoundationEssentials

/// How many processors this process may run on.
enum CoreCount {
    /// At least 1. Follows the process's affinity, and so a container's `cpuset`; Glibc's module has no such call.
    static var available: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }
}
