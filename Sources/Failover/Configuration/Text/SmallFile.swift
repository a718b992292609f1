import SystemPackage

/// The text of a file that is not large.
struct SmallFile {
    let text: String

    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - waits: whether to wait for whoever writes to a pipe; a secret or certificate never does.
    /// - Throws: a reason that names neither the file nor what it holds.
    init(path: FilePath, maximumSize: Int, waits: Bool = false) throws(InvalidText) {
        let bytes: [UInt8]
        do {
            let options: FileDescriptor.OpenOptions = waits ? [.closeOnExec] : [.closeOnExec, .nonBlocking]
            let file = try FileDescriptor.open(path, .readOnly, options: options)
            bytes = try file.closeAfter { try Self.read(file, upTo: maximumSize + 1) }
        } catch let error as Errno {
            throw InvalidText(error.description)
        } catch {
            throw InvalidText("\(error)")
        }
        if bytes.count > maximumSize {
            let size = maximumSize < 1 << 20 ? "\(maximumSize >> 10) KiB" : "\(maximumSize >> 20) MiB"
            throw InvalidText("larger than \(size)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw InvalidText("not UTF-8 text") }
        self.text = text
    }

    private static func read(_ file: FileDescriptor, upTo limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count < limit {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}
