import FailoverCore

/// Follows a clear-text session after the client's StartupMessage, and determines whether it is at a transaction
/// boundary: every request is answered, the status in the last ReadyForQuery is "idle", and no message is incomplete in
/// either direction.
///
/// If it cannot follow the session, it reports that there is no boundary; chapter "Message Flow".
struct PostgresReader {
    private var server = PostgresFramer()
    private var client = PostgresFramer()
    /// The number of expected ReadyForQuery messages: one for the startup and one for each Query, Sync and
    /// FunctionCall. At its maximum, the real number is unknown, and the session never reaches a boundary again.
    private var awaited: UInt32 = 1
    /// The status in the latest ReadyForQuery: `I` idle, `T` in a transaction, `E` in a failed one.
    private var status: UInt8 = 0
    /// Whether there is a batch of the extended protocol that Sync has not ended yet.
    private var hasOpenBatch = false
    /// Whether the client has sent Terminate.
    private var isLeaving = false
    /// Whether the server has sent an error and no ReadyForQuery since.
    private var hasFailed = false
    /// The key in BackendKeyData, unless it arrived in pieces.
    private var key: CancelKey?
    private var keyIsCutOff = false
    /// SQLSTATE 57P01 and 57P02 report a shutdown. Class 53 before the first ReadyForQuery reports a lack of room.
    private(set) var heard: ServerSigns = []

    /// Whether both directions could be followed so far. Once false, it stays false.
    var isReadable: Bool { !server.isBroken && !client.isBroken }

    /// Whether the session can be ended without an interruption of its work.
    var isAtBoundary: Bool {
        awaited == 0 && status == UInt8(ascii: "I") && !hasOpenBatch && !isLeaving && server.isAtMessage
            && client.isAtMessage && isReadable
    }

    /// Whether the client waits for an answer; `nil` if only the order of the latest bytes can show it: at login, and
    /// in a batch that the client may have flushed.
    var awaitsServer: Bool? { status == 0 || hasOpenBatch ? nil : awaited > 0 }

    /// Whether the proxy may insert a message into the server's stream now.
    var mayTellClient: Bool { server.isAtMessage && isReadable && !isLeaving }

    /// Whether the client is logged in and the server owes an answer, but has not sent an error.
    var owesAnswer: Bool { status != 0 && awaited > 0 && !hasFailed && isReadable }

    /// The session's cancel key; `nil` until the login is complete.
    var cancelKey: SessionKey? {
        guard status != 0 else { return nil }
        if keyIsCutOff { return .unknown }
        return key.map { SessionKey.known($0) } ?? .absent
    }

    /// The server has sent these bytes.
    mutating func serverSent(_ bytes: UnsafeRawBufferPointer) {
        var (awaited, status, hasFailed, heard) = (awaited, status, hasFailed, heard)
        var (key, keyIsCutOff, latest) = (key, keyIsCutOff, UInt8(0))
        server.read(bytes) { type, body in
            latest = type
            switch type {
            case UInt8(ascii: "K"):
                key = CancelKey(body)
                // If a message's head arrived in pieces, the framer passes only the first byte of the body.
                if body.count < 8 { keyIsCutOff = true }
            case UInt8(ascii: "Z"):
                if awaited > 0, awaited < .max { awaited -= 1 }
                status = body.first ?? 0
                hasFailed = false
            case UInt8(ascii: "E"):
                hasFailed = true
                heard.formUnion(Self.message(of: body, isLoggedIn: status != 0))
            default: break
            }
        }
        (self.awaited, self.status, self.hasFailed, self.heard) = (awaited, status, hasFailed, heard)
        self.key = key
        self.keyIsCutOff = keyIsCutOff || latest == UInt8(ascii: "K") && !server.isAtMessage
    }

    /// The client has sent these bytes.
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
            // The answer to an authentication request during the login.
            case UInt8(ascii: "p") where !isLoggedIn: break
            // CopyData, CopyDone, CopyFail: within a Query or a batch.
            case UInt8(ascii: "d"), UInt8(ascii: "c"), UInt8(ascii: "f"): break
            default: hasOpenBatch = true
            }
        }
        (self.awaited, self.hasOpenBatch, self.isLeaving) = (awaited, hasOpenBatch, isLeaving)
    }

    private static func message(of body: UnsafeRawBufferPointer, isLoggedIn: Bool) -> ServerSigns {
        guard let error = PostgresErrorResponse(body: body.prefix(1024)) else { return [] }
        if ServerError(sqlState: error.sqlState) == .shuttingDown { return .shutdown }
        return !isLoggedIn && error.isForLackOfRoom ? .full : []
    }
}
