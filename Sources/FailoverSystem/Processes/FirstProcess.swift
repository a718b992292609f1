import Glibc

/// What the first process of a container has to do, where init(1) does it otherwise. See pid_namespaces(7).
package enum FirstProcess {
    /// Whether this is it.
    package static var isThisOne: Bool { getpid() == 1 }

    /// Takes away what is left of processes whose parents have ended before them; they are this one's children then.
    package static func reapOrphans() { OwnChildren.reapOthers() }

    /// Has signals end this process: what they do to others by default they don't do to the first.
    package static func end(on signals: [Int32]) {
        for number in signals { signal(number) { _exit(128 + $0) } }
    }
}
