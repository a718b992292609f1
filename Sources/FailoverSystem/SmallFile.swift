import Glibc

/// A small text file that is read as a whole.
package struct SmallFile: Sendable {
    package let text: String

    /// Why the file cannot be read. The description names neither the file nor its content.
    package enum Failure: Error, Hashable, CustomStringConvertible {
        case system(SystemError)
        /// Larger than this number of bytes.
        case tooLarge(Int)
        case notText

        package var description: String {
            switch self {
            case .system(let error): error.message
            case .tooLarge(let limit): "larger than \(limit < 1 << 20 ? "\(limit >> 10) KiB" : "\(limit >> 20) MiB")"
            case .notText: "not UTF-8 text"
            }
        }
    }

    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - maximumSize: in bytes; a larger file is an error.
    ///   - waits: whether to wait for the writer of a pipe; false by default.
    package init(path: String, maximumSize: Int, waits: Bool = false) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | (waits ? 0 : O_NONBLOCK))
        guard descriptor >= 0 else { throw .system(.last(of: "open")) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= maximumSize {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system(.last(of: "read")) }
            guard count > 0 else {
                guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
                self.text = text
                return
            }
            bytes += buffer[..<count]
        }
        throw .tooLarge(maximumSize)
    }
}
