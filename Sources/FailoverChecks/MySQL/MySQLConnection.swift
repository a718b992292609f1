import CMySQL
import FailoverCore
package import FailoverSystem
import Glibc

/// One connection of libmysqlclient. It is closed when it goes out of scope, with COM_QUIT if it is logged in. Its
/// methods block.
///
/// Every call of the shim is in this file, because the shim keeps its deadline in a variable that each file and each
/// thread has separately.
package struct MySQLConnection: ~Copyable {
    /// The server and user of a login.
    struct Login {
        /// An IP address. It is a host name only if that must be verified, because the library looks up the name again.
        var host: String?
        var port: UInt16 = 0
        var socketPath: String?
        var user: String?
        var password: Secret?
        var databaseName: String?
        var tls: DatabaseServer.TLSMode
        var tlsAuthorities: String?
        /// The bytes to send first; may be empty.
        var firstBytes: [UInt8] = []
    }

    private let mysql: UnsafeMutablePointer<MYSQL>
    /// The OpenSSL session of the connection; `nil` without TLS, before the login, and if the library contains its own
    /// copy of OpenSSL. It is valid as long as the connection exists.
    package private(set) var tlsSession: OpaquePointer?

    /// Initializes the library once. The initialization is not thread-safe.
    private static let isLibraryReady: Bool = {
        _ = CryptoLibrary.survivesExit
        return mysql_server_init(0, nil, nil) == 0 && failover_mysql_begin() == 0
    }()

    /// Whether the program was built with Oracle's library, not with MariaDB's.
    package static var isOfOracle: Bool { failover_mysql_is_of_oracle() != 0 }

    /// Creates a connection that is not open yet; `nil` if memory is exhausted.
    package init?(_ attempt: PingAttempt) {
        guard Self.isLibraryReady, failover_mysql_begin_thread() == 0, let mysql = mysql_init(nil) else { return nil }
        self.mysql = mysql
        failover_mysql_restrict(mysql)
        // The progress object exists as long as the connection.
        failover_mysql_limit(
            mysql, Int64(attempt.deadline.remainingMilliseconds), Self.mostBytes,
            { context in
                if let context { Unmanaged<PingProgress>.fromOpaque(context).takeUnretainedValue().reached(.login) }
            }, Unmanaged.passUnretained(attempt.progress).toOpaque())
        mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "failover")
    }

    deinit {
        failover_mysql_close(mysql)
        mysql_thread_end()
    }

    /// Connects and logs in. The library reads no option file.
    mutating func logIn(_ login: Login) throws(MySQLError) {
        var transport = login.socketPath == nil ? MYSQL_PROTOCOL_TCP.rawValue : MYSQL_PROTOCOL_SOCKET.rawValue
        mysql_options(mysql, MYSQL_OPT_PROTOCOL, &transport)
        failover_mysql_use_tls(mysql, login.tls.shimMode, login.tlsAuthorities)
        LatestTLSSession.forget()
        // The password is empty if there is none: without a password, the library uses the environment variable
        // MYSQL_PWD.
        let isConnected = login.firstBytes.withUnsafeBytes { bytes in
            failover_mysql_send_first(bytes.baseAddress, bytes.count)
            defer { failover_mysql_send_first(nil, 0) }
            return failover_mysql_connect(
                mysql, login.host, login.user ?? "", login.password?.reveal() ?? "", login.databaseName,
                UInt32(login.port), login.socketPath) == 0
        }
        if !isConnected { throw error }
        if isEncrypted { tlsSession = LatestTLSSession.current }
    }

    /// Whether the connection is encrypted.
    package var isEncrypted: Bool { mysql_get_ssl_cipher(mysql) != nil }

    /// The address of this machine that the connection comes from; `nil` without a connection.
    var localAddress: SocketAddress? { .local(of: descriptor) }
    /// The address of the server.
    var peerAddress: SocketAddress? { .peer(of: descriptor) }
    var descriptor: Int32 { failover_mysql_socket(mysql) }

    /// Begins a new limit of time and bytes. Without it, the limits of the login hold for the whole connection.
    mutating func limit(_ deadline: Deadline) {
        failover_mysql_renew(mysql, Int64(deadline.remainingMilliseconds), Self.mostBytes)
    }

    /// Runs a query and reads its answer row by row.
    package mutating func run(_ query: String, deadline: Deadline) throws(MySQLError) {
        try read(query, deadline: deadline) { _, count in count <= Self.mostRows }
    }

    /// Runs a query and returns its rows. A row has its values by column name, without NULLs.
    package mutating func rows(of question: String, deadline: Deadline) throws(MySQLError) -> [[String: String]] {
        try keep(of: question, deadline: deadline) { $0.values }
    }

    /// Runs a query of the operator and returns its rows. A row has its values by position; NULL is `nil`.
    mutating func texts(of question: String, deadline: Deadline) throws(MySQLError) -> [[String?]] {
        try keep(of: question, deadline: deadline) { $0.texts }
    }

    private func keep<Kept>(
        of question: String, deadline: Deadline, _ part: (MySQLRow) -> Kept
    ) throws(MySQLError) -> [Kept] {
        var rows: [Kept] = []
        var bytes = 0
        try read(question, deadline: deadline) { row, count in
            rows.append(part(row))
            bytes += row.size
            return bytes <= Self.largestAnswer && count <= Self.mostRows
        }
        return rows
    }

    /// The maximum number of rows. A ping query returns about one row; more than this is a mistake or an attack.
    private static let mostRows = 10_000
    /// The maximum number of bytes of an answer that are kept.
    private static let largestAnswer = 1 << 20
    /// The maximum number of bytes that are read, including the login and column names.
    private static let mostBytes = largestAnswer + (256 << 10)

    /// - Parameter take: receives each row and the number of rows so far. It returns false if the answer is too large.
    private func read(
        _ query: String, deadline: Deadline, _ take: (MySQLRow, Int) -> Bool
    ) throws(MySQLError) {
        guard failover_mysql_query(mysql, query, query.utf8.count) == 0 else { throw error }
        guard let result = mysql_use_result(mysql) else {
            if mysql_errno(mysql) != 0 { throw error }
            return
        }
        // This call reads the rest of the answer, or detects that the connection is broken.
        defer { mysql_free_result(result) }
        var count = 0
        while let row = MySQLRow(next: result, of: mysql) {
            count += 1
            let isFine = take(row, count)
            if deadline.hasPassed || !isFine {
                failover_mysql_break_off(mysql)
                throw deadline.hasPassed ? .timedOut : .tooLong
            }
        }
        if mysql_errno(mysql) != 0 || failover_mysql_failure() != 0 { throw error }
    }

    private var error: MySQLError {
        if failover_mysql_said_too_much() != 0 { return .tooLong }
        let refusal = failover_mysql_refusal_code()
        if refusal != 0 { return MySQLError(code: Int(refusal), text: String(cString: failover_mysql_refusal())) }
        let failure = failover_mysql_failure()
        if failure != 0 { return .wait(failed: failure) }
        return MySQLError(code: Int(mysql_errno(mysql)), text: String(cString: mysql_error(mysql)))
    }
}

/// A row of an answer that is being read. It is valid until the next row is read.
private struct MySQLRow {
    private let result: UnsafeMutablePointer<MYSQL_RES>
    private let row: MYSQL_ROW

    /// `nil` after the last row, or if the connection broke.
    init?(next result: UnsafeMutablePointer<MYSQL_RES>, of mysql: UnsafeMutablePointer<MYSQL>) {
        guard let row = failover_mysql_next(mysql, result) else { return nil }
        self.result = result
        self.row = row
    }

    /// The size of its values in bytes.
    var size: Int {
        guard let lengths = mysql_fetch_lengths(result) else { return 0 }
        return (0..<Int(mysql_num_fields(result))).reduce(0) { $0 + Int(lengths[$1]) }
    }

    /// The values by position; NULL is `nil`.
    var texts: [String?] {
        guard let lengths = mysql_fetch_lengths(result) else { return [] }
        return (0..<Int(mysql_num_fields(result))).map { column in
            row[column].map { value in
                String(
                    decoding: UnsafeRawBufferPointer(start: value, count: Int(lengths[column])), as: UTF8.self)
            }
        }
    }

    /// The values by column name, without NULLs.
    var values: [String: String] {
        guard let fields = mysql_fetch_fields(result) else { return [:] }
        var values: [String: String] = [:]
        for (column, text) in texts.enumerated() {
            if let text, let name = fields[column].name { values[String(cString: name)] = text }
        }
        return values
    }
}

extension DatabaseServer.TLSMode {
    fileprivate var shimMode: failover_tls {
        switch self {
        case .disable: failover_tls_disable
        case .prefer: failover_tls_prefer
        case .require: failover_tls_require
        case .verifyCA: failover_tls_verify_ca
        case .verifyFull: failover_tls_verify_full
        }
    }
}
