/// Follows a session in clear from behind the client's StartupMessage on, and knows whether it stands at a transaction
/// boundary: every request answered, the last ReadyForQuery saying "idle", nothing half said in either direction.
///
/// What it can't follow leads to "not at a boundary", never to a false boundary; chapter "Message Flow".
struct PostgresReader {
    private var server = PostgresFramer()
    private var client = PostgresFramer()
    /// ReadyForQuery messages that are still to come: one for the startup, for each Query, Sync and FunctionCall. Of more
    /// than can be counted nobody knows when they have all come.
    private var awaited: UInt32 = 1
    /// What the latest ReadyForQuery said: `I` idle, `T` in a transaction, `E` in a failed one.
    private var status: UInt8 = 0
    /// A batch of the extended protocol that no Sync has ended yet.
    private var hasOpenBatch = false
    /// The client has said Terminate.
    private var isLeaving = false
    /// The latest answer is an error, and ReadyForQuery has not followed.
    private var hasFailed = false
    /// What BackendKeyData said, unless it came in pieces.
    private var key: CancelKey?
    private var keyIsCutOff = false
    /// SQLSTATE 57P01 and 57P02 tell a shutdown, class 53 before the first ReadyForQuery tells that there is no room.
    private(set) var heard: ServerWords = []

    /// Whether both directions could be followed so far; once false it stays so.
    var isReadable: Bool { !server.isBroken && !client.isBroken }

    /// Whether the session can be ended without cutting anything.
    var isAtBoundary: Bool {
        awaited == 0 && status == UInt8(ascii: "I") && !hasOpenBatch && !isLeaving && server.isAtMessage
            && client.isAtMessage && isReadable
    }

    /// Whether the client waits for an answer; `nil` where only who spoke last tells: at login, and in a batch that the
    /// client may have flushed.
    var awaitsServer: Bool? { status == 0 || hasOpenBatch ? nil : awaited > 0 }

    /// Whether a message of the proxy's own may follow what the server has said.
    var mayTellClient: Bool { server.isAtMessage && isReadable && !isLeaving }

    /// Whether the server, which has let the client in, owes the answer to a request and has not said what is wrong.
    var owesAnswer: Bool { status != 0 && awaited > 0 && !hasFailed && isReadable }

    /// What cancels the session's queries; `nil` until the login is over.
    var cancelKey: SessionKey? {
        guard status != 0 else { return nil }
        if keyIsCutOff { return .unknown }
        return key.map { SessionKey.known($0) } ?? .absent
    }

    /// The server's next bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        var (awaited, status, hasFailed, heard) = (awaited, status, hasFailed, heard)
        var (key, keyIsCutOff, latest) = (key, keyIsCutOff, UInt8(0))
        server.read(bytes) { type, body in
            latest = type
            switch type {
            case UInt8(ascii: "K"):
                key = CancelKey(body)
                // Of a message whose head came in pieces the reader gives the first byte only.
                if body.count < 8 { keyIsCutOff = true }
            case UInt8(ascii: "Z"):
                if awaited > 0, awaited < .max { awaited -= 1 }
                status = body.first ?? 0
                hasFailed = false
            case UInt8(ascii: "E"):
                hasFailed = true
                heard.formUnion(Self.words(of: body, isLoggedIn: status != 0))
            default: break
            }
        }
        (self.awaited, self.status, self.hasFailed, self.heard) = (awaited, status, hasFailed, heard)
        self.key = key
        self.keyIsCutOff = keyIsCutOff || latest == UInt8(ascii: "K") && !server.isAtMessage
    }

    /// The client's next bytes.
    mutating func clientSent(_ bytes: UnsafeRawBufferPointer) {
        var (awaited, hasOpenBatch, isLeaving) = (awaited, hasOpenBatch, isLeaving)
        let isLoggedIn = status != 0
        client.read(bytes) { type, _ in
            switch type {
            case UInt8(ascii: "Q"), UInt8(ascii: "F"): awaited += awaited < .max ? 1 : 0
            case UInt8(ascii: "S"):
                awaited += awaited < .max ? 1 : 0
                hasOpenBatch = false
            case UInt8(ascii: "X"): isLeaving = true
            // An answer to the server's question during the login.
            case UInt8(ascii: "p") where !isLoggedIn: break
            // CopyData, CopyDone, CopyFail: within a Query or a batch.
            case UInt8(ascii: "d"), UInt8(ascii: "c"), UInt8(ascii: "f"): break
            default: hasOpenBatch = true
            }
        }
        (self.awaited, self.hasOpenBatch, self.isLeaving) = (awaited, hasOpenBatch, isLeaving)
    }

    private static func words(of body: UnsafeRawBufferPointer, isLoggedIn: Bool) -> ServerWords {
        guard let error = PostgresErrorResponse(body: body.prefix(1024)) else { return [] }
        return switch error.sqlState {
        case "57P01", "57P02": .shutdown
        default: !isLoggedIn && error.isForLackOfRoom ? .full : []
        }
    }
}
