import FailoverSystem
import Glibc

/// A file that readers find whole at every moment: each change is a new file that takes the old one's place.
package struct SettingsFile: Sendable {
    package let path: String

    package init(path: String) { self.path = path }

    /// Replaces the file. Everybody may read it; its folder must let this process make files.
    ///
    /// - Throws: ``SettingsFileError``; the former file stays then.
    package func replace(with text: String) throws(SettingsFileError) {
        let temporary = "\(path).\(getpid()).new"
        do throws(SystemError) {
            try Self.write(text, to: temporary)
            guard rename(temporary, path) == 0 else { throw SystemError.last() }
        } catch {
            unlink(temporary)
            throw SettingsFileError(path: path, words: error.words)
        }
    }

    /// Removes the file, which nobody keeps true any longer.
    package func remove() { unlink(path) }

    private static func write(_ text: String, to path: String) throws(SystemError) {
        // A former process may have left one; a link that somebody put there is not followed.
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw SystemError.last() }
        defer { close(descriptor) }
        fchmod(descriptor, 0o644)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno != EINTR { throw SystemError.last() }
            if count > 0 { rest = rest.dropFirst(count) }
        }
        // Otherwise a crash of the machine could leave an empty file under the new name.
        guard fsync(descriptor) == 0 else { throw SystemError.last() }
    }
}

/// The settings file could not be replaced.
package struct SettingsFileError: Error, Hashable, CustomStringConvertible {
    package let path: String
    package let words: String
    package var description: String { "settings_file \(path): \(words)" }
}
