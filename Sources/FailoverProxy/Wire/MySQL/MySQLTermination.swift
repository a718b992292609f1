/// TLS of one MySQL session that ends at the proxy. Client/Server Protocol, chapter "Connection Phase".
///
///     client  ──TLS request──▶ TLS with the client ──login──▶ TLS request ▶ TLS with the server ──login──▶ server
///
/// With MySQL, both connections are encrypted or neither is: `caching_sha2_password` sends a password in another way
/// within TLS. The server gets nothing before the client's login is complete, so that a client that leaves during its
/// handshake is no error of the proxy's host (`max_connect_errors`).
struct MySQLTermination: Equatable {
    /// What must happen before more of the client's packets may pass.
    enum Step: Equatable {
        /// Begin TLS with the client.
        case secureClient
        /// Send ``MySQLTermination/request`` to the server and begin TLS with it.
        case secureServer
        /// End the session with this message, in an ERR packet with this sequence number.
        case refuse(String, sequence: UInt8)
    }

    /// Whether a client in clear text is refused.
    let isRequired: Bool
    /// Whether the server must not be sent a login in clear text.
    let serverIsRequired: Bool
    /// The client's TLS request; empty before it. The server gets the same.
    private(set) var request: [UInt8] = []
    private(set) var isServerSecured = false
    /// Whether the client's first packet may pass.
    private var hasPassed = false
    private var step: Step?

    static let whyClear = "connections in clear text are prohibited: this route requires TLS"
    static let whyClearForServer = "connections in clear text are prohibited: the server requires TLS"

    init(isRequired: Bool, serverIsRequired: Bool) {
        self.isRequired = isRequired
        self.serverIsRequired = serverIsRequired
    }

    /// Whether the server must not send anything after its greeting. It has not been asked yet, so the bytes may be those
    /// of another machine, and would pass for a part of the login.
    var forbidsServer: Bool { !hasPassed }

    /// The client has sent its first packet, or its first packet within TLS.
    ///
    /// - Parameter request: the packet, if it is a TLS request.
    /// - Returns: whether the packet must not pass yet.
    mutating func clientSent(_ request: ArraySlice<UInt8>?) -> Bool {
        if let request {
            step = self.request.isEmpty ? .secureClient : .refuse("the client requested TLS within TLS", sequence: 3)
            if self.request.isEmpty { self.request = Array(request) }
        } else if !self.request.isEmpty {
            hasPassed = isServerSecured
            guard !isServerSecured else { return false }
            step = .secureServer
        } else if isRequired || serverIsRequired {
            step = .refuse(isRequired ? Self.whyClear : Self.whyClearForServer, sequence: 2)
        } else {
            hasPassed = true
            return false
        }
        return true
    }

    /// The client's first packet cannot be kept, so that it cannot be known whether it may pass.
    mutating func refuseFirstPacket() {
        step = .refuse("the login packet is malformed or too long", sequence: request.isEmpty ? 2 : 3)
    }

    /// Takes what must happen now.
    mutating func takeStep() -> Step? {
        defer { step = nil }
        return step
    }

    /// TLS with the server is established.
    mutating func serverIsSecured() { isServerSecured = true }
}
