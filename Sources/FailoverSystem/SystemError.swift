import Glibc

/// A system call that failed, with what the system says of it.
package struct SystemError: Error, Hashable, Sendable {
    /// `errno` after it.
    package let code: Int32
    /// The call, where that tells something.
    package let call: String?

    /// A failure with a known number.
    package init(_ code: Int32, of call: String? = nil) {
        self.code = code
        self.call = call
    }

    /// The failure that `errno` tells right now on this thread.
    package static func last(of call: String? = nil) -> SystemError { SystemError(errno, of: call) }

    /// strerror(3).
    package var words: String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
}

extension SystemError: CustomStringConvertible {
    package var description: String { call.map { "\($0): \(words)" } ?? words }
}
