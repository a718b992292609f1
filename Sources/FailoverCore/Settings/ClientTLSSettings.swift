/// TLS between the clients of a route and the proxy, where it ends at the proxy.
public struct ClientTLSSettings: Hashable, Sendable {
    /// The path of the PEM file with the proxy's certificate, followed by those of its authorities. Key: `certificate`.
    public var certificate: String
    /// The path of the PEM file with the certificate's private key, which has no password. Key: `key`.
    public var key: String
    /// The path of the PEM file with the authorities that a client's certificate must be of; `nil`, the default,
    /// requests no certificate. Key: `client_ca`.
    public var clientAuthorities: String?
    /// Whether clients in clear text are refused. Default: false. Key: `require`.
    public var isRequired: Bool
    /// The oldest version of TLS that clients may use. Default: 1.2. Key: `min_version`.
    public var minVersion: TLSVersion
    /// How many TLS handshakes with clients may be in progress at the same time, over all event loops. Further clients
    /// wait; the sources take turns, and no source has more than half. Default: 128. Key: `max_handshakes`.
    public var maxHandshakes: Int

    public init(
        certificate: String, key: String, clientAuthorities: String? = nil, isRequired: Bool = false,
        minVersion: TLSVersion = .v12, maxHandshakes: Int = 128
    ) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
        self.isRequired = isRequired
        self.minVersion = minVersion
        self.maxHandshakes = maxHandshakes
    }
}

/// A version of TLS. Older ones are insecure and not available.
public enum TLSVersion: String, Hashable, Sendable, CaseIterable {
    case v12 = "1.2"
    case v13 = "1.3"
}
