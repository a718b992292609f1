import FailoverCore
import FailoverSystem
import Glibc

/// What an error number means for a ping.
extension SystemError {
    /// Whether it may be a firewall's word, of this machine or, by ICMP, of another; of a path it is about permissions.
    var isOfFirewall: Bool { code == EACCES || code == EPERM }

    /// Whether the peer said what it should not.
    var isProtocolError: Bool { code == EPROTO }

    /// What a failed attempt to connect or to talk means; `nil` when it is no error of the network.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason? {
        switch code {
        case ECONNREFUSED, ENOENT: .refused
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
        // EAGAIN: the queue of a Unix socket is full, and what a connect to a port would wait for did not happen.
        case ETIMEDOUT, EAGAIN: .timeout(stage)
        case ECONNRESET, EPIPE, ECONNABORTED, ENOTCONN: .disconnected
        // EADDRNOTAVAIL: no source port is left, or no source address of that family.
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM, ENOTSOCK, ENAMETOOLONG, EADDRNOTAVAIL, EAFNOSUPPORT: .local
        default: nil
        }
    }

    /// The error numbers that C libraries only mention as text.
    static let named: [SystemError] = [
        ECONNREFUSED, ENOENT, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, ETIMEDOUT,
        EAGAIN, ECONNRESET, EPIPE, ECONNABORTED, EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES, EPERM,
    ].map { SystemError($0) }

    /// The error whose text is part of `text`.
    static func mentioned(in text: String) -> SystemError? {
        named.first { text.contains($0.words) }
    }
}
