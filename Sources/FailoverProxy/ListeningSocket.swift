import CLinux
import FailoverCore
import FailoverSystem
import Glibc

/// A listening socket that no worker owns yet.
struct ListeningSocket: ~Copyable {
    let descriptor: Descriptor
    /// The path to remove when a Unix socket is closed; `nil` for TCP.
    let path: String?
    /// The bound address, with the port that the system chose for port 0.
    let address: SocketAddress

    /// Opens a listening socket.
    ///
    /// - Parameter access: mode and group of a Unix socket.
    /// - Throws: ``OperationError`` with the address and the cause.
    static func open(
        _ address: SocketAddress, access: UnixSocketAccess, settings: SessionSettings
    ) throws(OperationError) -> ListeningSocket {
        let family = address.family
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = socket(family, type, 0)
        guard raw >= 0 else { throw OperationError.listen(on: address, .last(of: "socket")) }
        let descriptor = Descriptor(owning: raw)
        if family == AF_UNIX {
            do throws(SystemError) {
                try UnixSocketFile.removeAbandoned(address)
            } catch {
                throw OperationError.listen(on: address, error)
            }
        } else {
            descriptor.set(SOL_SOCKET, SO_REUSEADDR, 1)
            if family == AF_INET6 { descriptor.set(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            // Accepted sockets inherit these; tcp(7), socket(7).
            descriptor.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            descriptor.watchPeer(keepalive: settings.keepalive, userTimeout: settings.tcpUserTimeout)
        }
        guard address.withSocketAddress({ bind(raw, $0, $1) }) == 0 else {
            throw OperationError.listen(on: address, .last(of: "bind"))
        }
        // Set before listen(2), so that no client connects earlier.
        do throws(OperationError) {
            try access.apply(to: address)
        } catch {
            if let path = address.unixPath { unlink(path) }
            throw error
        }
        guard listen(raw, SOMAXCONN) == 0 else { throw OperationError.listen(on: address, .last(of: "listen")) }
        let bound = address.withPort(of: descriptor)
        return ListeningSocket(descriptor: descriptor, path: address.unixPath, address: bound)
    }

    /// Hands the socket over to a worker.
    consuming func release() -> Int32 { descriptor.release() }
}

extension UnixSocketAccess {
    /// Gives the file of a Unix socket its mode and group.
    func apply(to address: SocketAddress) throws(OperationError) {
        guard let path = address.unixPath else { return }
        let number = group.flatMap { SocketAccess.number(ofGroup: $0) }
        // The group does not exist.
        if group != nil, number == nil { throw OperationError.listen(on: address, SystemError(ENOENT, of: "group")) }
        do throws(SystemError) {
            try SocketAccess.set(path, mode: mode, group: number)
        } catch {
            throw OperationError.listen(on: address, error)
        }
    }
}

extension OperationError {
    /// The error of a listener that cannot be opened at the address.
    fileprivate static func listen(on address: SocketAddress, _ cause: SystemError) -> OperationError {
        let advice =
            switch cause.code {
            case EACCES where !address.isUnix: "; ports below 1024 need the capability CAP_NET_BIND_SERVICE"
            case _ where cause.call == "group": "; the group in listen_group does not exist"
            case EPERM where address.isUnix: "; listen_group must be a group of the process"
            case ENOENT where address.isUnix: "; its folder must exist"
            case EADDRINUSE: "; another process listens there"
            case EADDRNOTAVAIL: "; this machine has no such address"
            default: ""
            }
        return OperationError(.listen, "cannot listen on \(address): \(cause.message)\(advice)", cause: cause)
    }
}

extension SocketAddress {
    /// The same address with the socket's port. The port is in bytes 2 and 3 in both families.
    fileprivate func withPort(of socket: borrowing Descriptor) -> SocketAddress {
        guard port == 0 else { return self }
        return socket.localAddress ?? self
    }
}
