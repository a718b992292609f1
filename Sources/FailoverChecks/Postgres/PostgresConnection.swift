import CLinux
import COpenSSL
import CPostgres
import FailoverCore
import FailoverSystem
import Glibc

/// One connection of libpq. It is closed when it goes out of scope, with Terminate if it is logged in. Its methods
/// never block.
package struct PostgresConnection: ~Copyable {
    private let connection: OpaquePointer

    /// Starts to connect; `nil` if memory is exhausted.
    package init?(_ parameters: [(keyword: String, value: String)]) {
        _ = CryptoLibrary.survivesExit
        var keywords = parameters.map { UnsafePointer(strdup($0.keyword)) } + [nil]
        var values = parameters.map { UnsafePointer(strdup($0.value)) } + [nil]
        defer { for string in keywords + values { free(UnsafeMutablePointer(mutating: string)) } }
        guard let connection = PQconnectStartParams(&keywords, &values, 0) else { return nil }
        self.connection = connection
        PQsetnonblocking(connection, 1)
        // Errors during the login contain their SQLSTATE only with this setting.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        // Without a receiver, libpq would write notices to standard error.
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    deinit { PQfinish(connection) }

    var isBroken: Bool { PQstatus(connection) == CONNECTION_BAD }
    /// Whether the connection attempt is still in progress.
    var isConnecting: Bool { PQstatus(connection) == CONNECTION_STARTED || PQstatus(connection) == CONNECTION_NEEDED }
    var descriptor: Int32 { PQsocket(connection) }
    /// The OpenSSL session of the connection; `nil` without TLS. It is valid as long as the connection exists.
    package var tlsSession: OpaquePointer? { PQsslStruct(connection, "OpenSSL").map { OpaquePointer($0) } }
    var errorMessage: String { PQerrorMessage(connection).map { String(cString: $0) } ?? "" }

    /// What the login waits for.
    enum LoginStep {
        case wait(events: Int32)
        case finished
        case failed
    }

    /// Sends a PROXY header before libpq sends anything.
    func send(_ header: ProxyHeaderVersion, _ attempt: PingAttempt) throws(PingFailure) {
        let bytes = header.bytes(ofSocket: descriptor)
        // The send buffer of a new connection has room for the header.
        let count = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        if count != bytes.count { throw attempt.failure(SystemError.last()) }
    }

    /// Whether libpq waits for the server's authentication request.
    var awaitsAuthentication: Bool { PQstatus(connection) == CONNECTION_AWAITING_RESPONSE }

    /// The bytes of the server that libpq has not read.
    enum Unread {
        case bytes([UInt8])
        /// No byte has arrived yet.
        case none
        /// The end of the stream or an error, which libpq reports.
        case end
    }

    /// Returns all bytes that libpq has not read, without removing them.
    func unread() -> Unread {
        var bytes = [UInt8](repeating: 0, count: Self.mostUnread)
        guard let ssl = PQsslStruct(connection, "OpenSSL").map({ OpaquePointer($0) }) else {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_PEEK | MSG_DONTWAIT))
            if count > 0 { return .bytes(Array(bytes[..<count])) }
            return count < 0 && (errno == EAGAIN || errno == EINTR) ? .none : .end
        }
        ERR_clear_error()
        let count = SSL_peek(ssl, &bytes, Int32(bytes.count))
        if count > 0 { return .bytes(Array(bytes[..<Int(count)])) }
        let error = SSL_get_error(ssl, count)
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? .none : .end
    }

    /// The size of the buffer for ``unread()``: more than libpq reads at once.
    static let mostUnread = 65_536

    /// Stops the socket from receiving, so that libpq reads exactly the bytes that ``unread()`` returned. With TLS
    /// these are whole records.
    func freeze() { clinux_freeze(descriptor) }
    func thaw() { clinux_thaw(descriptor) }

    /// Makes poll(2) wait for this number of bytes or the end of the stream; see SO_RCVLOWAT in socket(7).
    func setLowWater(_ count: Int) {
        var count = Int32(clamping: count)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &count, socklen_t(MemoryLayout<Int32>.size))
    }

    mutating func continueLogin() -> LoginStep {
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_OK: .finished
        case PGRES_POLLING_READING: .wait(events: POLLIN)
        case PGRES_POLLING_WRITING: .wait(events: POLLOUT)
        default: .failed
        }
    }

    /// Queues a query in single-row mode.
    mutating func send(_ query: String) -> Bool {
        PQsendQuery(connection, query) == 1 && PQsetSingleRowMode(connection) == 1
    }

    /// Sends queued bytes.
    ///
    /// - Returns: 0 if everything is sent, 1 if there is more to send, -1 if the connection broke.
    mutating func flush() -> Int32 { PQflush(connection) }

    /// Reads the bytes that have arrived. Returns false if the connection broke.
    mutating func consumeInput() -> Bool { PQconsumeInput(connection) == 1 }

    /// The number of bytes in the socket that libpq has not read.
    var arrivedBytes: Int {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// Whether the next result has not arrived yet.
    var isBusy: Bool { PQisBusy(connection) == 1 }

    /// The next part of the answer; `nil` after the last.
    mutating func nextResult() -> PostgresResult? {
        guard let result = PQgetResult(connection) else { return nil }
        defer { PQclear(result) }
        func field(_ code: Int32) -> String? { PQresultErrorField(result, code).map { String(cString: $0) } }
        switch PQresultStatus(result) {
        case PGRES_SINGLE_TUPLE:
            return .row(
                (0..<PQnfields(result)).map { column in
                    guard PQgetisnull(result, 0, column) == 0 else { return nil }
                    return PQgetvalue(result, 0, column).map { String(cString: $0) }
                })
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
            return .success
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            return .copy
        default:
            let message = field(PG_DIAG_MESSAGE_PRIMARY_CODE) ?? ""
            return .failure(
                PostgresError(
                    sqlState: field(PG_DIAG_SQLSTATE_CODE), severity: field(PG_DIAG_SEVERITY_CODE),
                    text: message.isEmpty ? String(cString: PQresultErrorMessage(result)) : message))
        }
    }
}

/// One part of the answer to a query.
enum PostgresResult {
    /// A row; NULL is `nil`.
    case row([String?])
    /// The end of a statement.
    case success
    /// The query is a COPY: the server waits for data, or sends it.
    case copy
    case failure(PostgresError)
}

// The C header defines these as characters.
private let PG_DIAG_SEVERITY_CODE = Int32(UInt8(ascii: "S"))
private let PG_DIAG_SQLSTATE_CODE = Int32(UInt8(ascii: "C"))
private let PG_DIAG_MESSAGE_PRIMARY_CODE = Int32(UInt8(ascii: "M"))
