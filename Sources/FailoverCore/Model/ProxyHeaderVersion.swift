/// The forms of the header by which a proxy tells the next one who its client is: HAProxy's `doc/proxy-protocol.txt`. The
/// raw values are those of `send_proxy`.
public enum ProxyHeaderVersion: String, Hashable, Sendable, CaseIterable {
    /// A line of text.
    case v1
    /// Binary.
    case v2
}
