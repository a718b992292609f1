/// The one buffer that a loop reads into; sessions own none.
struct ReadBuffer: ~Copyable {
    let bytes: UnsafeMutableRawBufferPointer

    init(size: Int) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
    }

    deinit { bytes.deallocate() }

    /// The bytes from `start` up to `end`, copied.
    func copy(from start: Int, to end: Int) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start..<end]))
    }
}
