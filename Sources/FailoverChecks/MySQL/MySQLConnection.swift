import CMySQL
import FailoverCore
import FailoverSystem
import Glibc

/// One connection of libmysqlclient; closed, with a goodbye if it is logged in, when it goes out of use. Blocks.
///
/// Every call of the shim stands in this file: its deadline belongs to the thread and to the file.
struct MySQLConnection: ~Copyable {
    /// Where and as whom to log in.
    struct Login {
        /// An IP literal; a name only to have it verified, since the library looks it up again.
        var host: String?
        var port: UInt16 = 0
        var socketPath: String?
        var user: String?
        var password: Secret?
        var databaseName: String?
        var tls: DatabaseServer.TLSMode
        var tlsAuthorities: String?
    }

    private let mysql: UnsafeMutablePointer<MYSQL>

    /// The library's own start, which is not safe in two threads at a time.
    private static let isLibraryReady: Bool = {
        _ = CryptoLibrary.survivesExit
        return mysql_server_init(0, nil, nil) == 0
    }()

    /// A connection not yet made; `nil` when there is no memory.
    init?(_ attempt: PingAttempt) {
        guard Self.isLibraryReady, failover_mysql_begin_thread() == 0, let mysql = mysql_init(nil) else { return nil }
        self.mysql = mysql
        failover_mysql_restrict(mysql)
        // The attempt's progress lives for as long as the connection.
        failover_mysql_limit(
            mysql, Int64(attempt.deadline.remainingMilliseconds),
            { context in
                if let context { Unmanaged<PingProgress>.fromOpaque(context).takeUnretainedValue().reached(.login) }
            }, Unmanaged.passUnretained(attempt.progress).toOpaque())
        mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "failover")
    }

    deinit {
        mysql_close(mysql)
        mysql_thread_end()
    }

    /// Connects and logs in. No option file is read.
    mutating func logIn(_ login: Login) throws(MySQLError) {
        var transport = login.socketPath == nil ? MYSQL_PROTOCOL_TCP.rawValue : MYSQL_PROTOCOL_SOCKET.rawValue
        mysql_options(mysql, MYSQL_OPT_PROTOCOL, &transport)
        failover_mysql_use_tls(mysql, login.tls.shimMode, login.tlsAuthorities)
        // An empty password, not none: for none the library takes the environment's MYSQL_PWD.
        let result = mysql_real_connect(
            mysql, login.host, login.user ?? "", login.password?.reveal() ?? "", login.databaseName,
            UInt32(login.port), login.socketPath, 0)
        if result == nil { throw error }
    }

    /// Whether the connection is encrypted.
    var isEncrypted: Bool { mysql_get_ssl_cipher(mysql) != nil }

    /// Runs a query and reads its answer row by row.
    mutating func run(_ query: String, deadline: Deadline) throws(MySQLError) {
        guard mysql_real_query(mysql, query, UInt(query.utf8.count)) == 0 else { throw error }
        guard let result = mysql_use_result(mysql) else {
            if mysql_errno(mysql) != 0 { throw error }
            return
        }
        // Frees it by reading what is left of the answer, or finding the connection broken off.
        defer { mysql_free_result(result) }
        var rows = 0
        while mysql_fetch_row(result) != nil {
            rows += 1
            if deadline.hasPassed || rows > Self.mostRows {
                failover_mysql_break_off(mysql)
                throw deadline.hasPassed ? .timedOut : .tooManyRows
            }
        }
        if mysql_errno(mysql) != 0 { throw error }
    }

    /// A ping query answers with a row or so. More than this is a mistake, or a server that means harm.
    private static let mostRows = 10_000

    private var error: MySQLError {
        MySQLError(code: Int(mysql_errno(mysql)), text: String(cString: mysql_error(mysql)))
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
