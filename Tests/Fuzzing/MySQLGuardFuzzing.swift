/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMySQLGuard(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzz(GuardedPlayer.self, start, count)
}
