/// The beginning of a packet: as much as a reader needs to interpret the packet. Client/Server Protocol, chapter "MySQL
/// Packets".
struct MySQLPacket {
    /// The first body byte of packets that answer a command.
    static let ok: UInt8 = 0x00
    static let localInfile: UInt8 = 0xfb
    static let eof: UInt8 = 0xfe
    static let error: UInt8 = 0xff

    static let headerSize = 4
    /// A body of this size continues in the next packet.
    static let fullSize = 0xff_ffff
    /// The number of body bytes that are kept. The longest need is a client's handshake up to its user name.
    static let viewSize = 32

    /// The size of the body in bytes.
    let length: Int
    let sequence: UInt8
    /// Undefined after ``viewed`` bytes.
    private var view: SIMD32<UInt8>

    /// - Returns: `nil` if `bytes` do not contain the header and the view.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.headerSize else { return nil }
        let header = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        length = Int(header & 0xff_ffff)
        sequence = UInt8(header >> 24)
        let viewed = min(length, Self.viewSize)
        guard bytes.count >= Self.headerSize + viewed else { return nil }
        if bytes.count >= Self.headerSize + Self.viewSize {
            view = bytes.loadUnaligned(fromByteOffset: Self.headerSize, as: SIMD32<UInt8>.self)
        } else {
            view = SIMD32()
            let beginning = UnsafeRawBufferPointer(rebasing: bytes[Self.headerSize..<(Self.headerSize + viewed)])
            withUnsafeMutableBytes(of: &view) { $0.copyMemory(from: beginning) }
        }
    }

    /// The number of body bytes available.
    var viewed: Int { min(length, Self.viewSize) }

    /// A byte of the body; `nil` beyond its end or beyond the view.
    func uint8(at index: Int) -> UInt8? { index >= 0 && index < viewed ? view[index] : nil }

    func uint16(at index: Int) -> UInt16? {
        guard index >= 0, index + 2 <= viewed else { return nil }
        return UInt16(view[index]) | UInt16(view[index + 1]) << 8
    }

    func uint32(at index: Int) -> UInt32? {
        guard let low = uint16(at: index), let high = uint16(at: index + 2) else { return nil }
        return UInt32(low) | UInt32(high) << 16
    }

    /// A length-encoded integer and the index after it.
    func integer(at index: Int) -> (value: UInt64, end: Int)? {
        guard let first = uint8(at: index) else { return nil }
        let size: Int
        switch first {
        case 0...0xfa: return (UInt64(first), index + 1)
        case 0xfc: size = 2
        case 0xfd: size = 3
        case 0xfe: size = 8
        default: return nil
        }
        guard index + size < viewed else { return nil }
        var value: UInt64 = 0
        for offset in 0..<size { value |= UInt64(view[index + 1 + offset]) << (8 * UInt64(offset)) }
        return (value, index + 1 + size)
    }

    /// The first byte of the body.
    var header: UInt8? { uint8(at: 0) }

    /// The code of an ERR packet; `nil` for other packets.
    var errorCode: UInt16? { header == Self.error && length < Self.fullSize ? uint16(at: 1) : nil }
}
