import CLinux
public import FailoverCore
import FailoverSystem
import Glibc

/// A listening socket before a worker takes it over.
struct ListeningSocket: ~Copyable {
    let descriptor: Descriptor
    /// The path to remove when a Unix socket is closed.
    let path: String?
    /// The address that it has, with the port that the system chose for port 0.
    let address: SocketAddress

    /// Opens it.
    ///
    /// - Parameter access: of a Unix socket.
    /// - Throws: ``ListenError`` with the address and what is wrong with it.
    static func open(
        _ address: SocketAddress, access: UnixSocketAccess, settings: SessionSettings
    ) throws(ListenError) -> ListeningSocket {
        let family = address.family
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = socket(family, type, 0)
        guard raw >= 0 else { throw ListenError(address, .last(of: "socket")) }
        let descriptor = Descriptor(owning: raw)
        if family == AF_UNIX {
            do throws(SystemError) {
                try UnixSocketFile.removeAbandoned(address)
            } catch {
                throw ListenError(address, error)
            }
        } else {
            descriptor.set(SOL_SOCKET, SO_REUSEADDR, 1)
            if family == AF_INET6 { descriptor.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            // Accepted sockets inherit these; tcp(7), socket(7).
            descriptor.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            descriptor.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        }
        guard address.withSocketAddress({ bind(raw, $0, $1) }) == 0 else {
            throw ListenError(address, .last(of: "bind"))
        }
        // Before anybody can connect.
        do throws(ListenError) {
            try access.apply(to: address)
        } catch {
            if let path = address.unixPath { unlink(path) }
            throw error
        }
        guard listen(raw, SOMAXCONN) == 0 else { throw ListenError(address, .last(of: "listen")) }
        let bound = address.withPort(of: descriptor)
        return ListeningSocket(descriptor: descriptor, path: address.unixPath, address: bound)
    }

    /// Gives the socket to a worker.
    consuming func release() -> Int32 { descriptor.release() }
}

extension UnixSocketAccess {
    /// Gives the file of a Unix socket its mode and group.
    func apply(to address: SocketAddress) throws(ListenError) {
        guard let path = address.unixPath else { return }
        let number = group.flatMap { SocketAccess.number(ofGroup: $0) }
        // There is no such group.
        if group != nil, number == nil { throw ListenError(address, SystemError(ENOENT, of: "group")) }
        do throws(SystemError) {
            try SocketAccess.set(path, mode: mode, group: number)
        } catch {
            throw ListenError(address, error)
        }
    }
}

/// A listener that could not be opened.
public struct ListenError: Error, CustomStringConvertible {
    /// Where it should have listened.
    public let address: SocketAddress
    let cause: SystemError

    init(_ address: SocketAddress, _ cause: SystemError) {
        self.address = address
        self.cause = cause
    }

    public var description: String {
        let advice =
            switch cause.code {
            case EACCES where !address.isUnix: "; ports below 1024 need the capability CAP_NET_BIND_SERVICE"
            case _ where cause.call == "group": "; listen_group is no group"
            case EPERM where address.isUnix: "; listen_group must be a group of the process"
            case EADDRINUSE: "; another process listens there"
            case EADDRNOTAVAIL: "; this machine has no such address"
            default: ""
            }
        return "cannot listen on \(address): \(cause.words)\(advice)"
    }
}

extension SocketAddress {
    /// The same address with the port that the socket was given; the port stands third and fourth in either family.
    fileprivate func withPort(of socket: borrowing Descriptor) -> SocketAddress {
        guard port == 0 else { return self }
        return socket.localAddress ?? self
    }
}
