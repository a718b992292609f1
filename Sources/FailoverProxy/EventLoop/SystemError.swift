import Glibc

/// A system call that failed, with what the system says of it.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The call.
    public let call: String
    /// `errno` after it.
    public let code: Int32

    /// The failure that `errno` tells right now.
    init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    public var description: String { "\(call): \(Self.words(for: code))" }

    /// strerror(3), for messages.
    static func words(for code: Int32) -> String { String(cString: strerror(code)) }
}
