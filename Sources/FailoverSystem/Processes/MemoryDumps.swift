import CLinux

/// What a process that knows secrets does not leave behind.
package enum MemoryDumps {
    /// No core file is written, and no debugger of the same user may look into this process. Its commands may be debugged.
    package static func forbid() { clinux_forbid_dumps() }
}
