import Glibc

/// A failed system call, with the system's error number.
package struct SystemError: Error, Hashable, Sendable {
    /// `errno` after the call.
    package let code: Int32
    /// The name of the system call, if it helps the reader.
    package let call: String?

    /// A failure with a given error number.
    package init(_ code: Int32, of call: String? = nil) {
        self.code = code
        self.call = call
    }

    /// The failure with the current `errno` of this thread.
    package static func last(of call: String? = nil) -> SystemError { SystemError(errno, of: call) }

    /// The system's text for the error; strerror(3).
    package var message: String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
}

extension SystemError: CustomStringConvertible {
    package var description: String { call.map { "\($0): \(message)" } ?? message }
}
