import FailoverNotify
import Glibc

/// What standard output is for.
enum Terminal {
    /// Whether people look at it who can see colours.
    static var wantsColour: Bool { LogStyle.suiting(descriptor: STDOUT_FILENO) == .colour }

    /// The colours of states, as SGR sequences of ECMA-48 number them.
    static let (green, red, yellow) = (32, 31, 33)
}
