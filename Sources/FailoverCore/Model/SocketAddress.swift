/// A resolved address: the bytes of a `sockaddr`, as the kernel takes them, and its text for people.
///
/// The core only carries it from the check that resolved it to the dialer that connects to it.
public struct SocketAddress: Hashable, Sendable {
    /// The bytes of a `sockaddr_in`, `sockaddr_in6` or `sockaddr_un`.
    public let bytes: [UInt8]
    /// `192.0.2.1:5432`, `[2001:db8::1]:5432` or `unix:/path`.
    public let description: String

    public init(bytes: [UInt8], description: String) {
        self.bytes = bytes
        self.description = description
    }
}

extension SocketAddress: CustomStringConvertible {}
