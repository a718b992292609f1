import FailoverTLS
import Glibc

/// The bytes of a session as its peers mean them: on a socket, or within TLS on it.
extension Session {
    /// Receives bytes of one side into the loop's buffer. Those of a TLS handshake are not the session's, and stay in the
    /// socket also while the handshake waits for its turn.
    func receive(from side: Side, atMost limit: Int) -> Transfer {
        if let extras {
            if let link = extras[side] {
                return link.isShakingHands ? .wouldBlock : receive(from: side, link, atMost: limit)
            }
            if side == .client, extras.waitingForTLS != nil { return .wouldBlock }
        }
        return switch side {
        case .client: client.receive(into: loop.readBuffer, atMost: limit)
        case .backend: backend?.receive(into: loop.readBuffer, atMost: limit) ?? .ended
        }
    }

    /// Sends as many of the bytes as the side accepts.
    func send(_ bytes: UnsafeRawBufferPointer, to side: Side) -> Transfer {
        if let link = extras?[side] { return send(bytes, to: side, link) }
        return switch side {
        case .client: client.send(bytes)
        case .backend: backend?.send(bytes) ?? .failed(EPIPE)
        }
    }

    /// Ends the direction to one side. With TLS, this may complete later.
    func endSending(to side: Side) {
        if let link = extras?[side] {
            extras?[side]?.endsWhenWritable = link.channel.endSending() != nil
            return
        }
        switch side {
        case .client: client.endSending()
        case .backend: backend?.endSending()
        }
    }

    /// Whether there are bytes or an end of stream to receive from one side. With TLS, they may be no bytes of the
    /// session.
    func hasMore(from side: Side) -> Bool {
        if let link = extras?[side] { return link.channel.hasMore }
        return side == .client ? client.hasMore : backend?.hasMore ?? false
    }

    /// Whether more bytes of one side may have arrived although the latest read returned fewer than it could. No event
    /// announces those that TLS has read from the socket already.
    func mayHaveMore(from side: Side) -> Bool { extras?[side]?.channel.mayHaveMore ?? false }

    /// The side's socket accepts bytes again: continues what TLS waited for.
    func resumeTLS(with side: Side) {
        guard let link = extras?[side] else { return }
        if link.endsWhenWritable { endSending(to: side) }
        guard link.readsWhenWritable else { return }
        extras?[side]?.readsWhenWritable = false
        relay(from: side, untilEnd: true)
    }

    private func receive(from side: Side, _ link: TLSLink, atMost limit: Int) -> Transfer {
        let buffer = loop.readBuffer.bytes
        let transfer = link.channel.receive(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(limit, buffer.count)]))
        switch transfer {
        case .wouldBlock(until: .writable): extras?[side]?.readsWhenWritable = true
        case .paused: loop.resumeLater(slot: slot)
        case .bytes, .wouldBlock(until: .readable), .ended, .truncated, .failed: break
        }
        return transfer.received
    }

    private func send(_ bytes: UnsafeRawBufferPointer, to side: Side, _ link: TLSLink) -> Transfer {
        if link.isShakingHands { return bytes.isEmpty ? .bytes(0) : .wouldBlock }
        return link.channel.send(bytes).sent
    }
}
