/// What the data plane needs to know.
public struct ProxyConfiguration: Sendable {
    /// In the order of ``RouteTable/routes``.
    public var routes: [ProxyRoute]
    /// Sessions that each alias may serve, in the order of ``RouteTable/aliases``; `nil` is no limit.
    public var aliasLimits: [Int?]
    /// What part of the sessions that aliases share each gets, in the same order; 1 for those that are not there.
    public var aliasWeights: [Int]
    /// How long each alias may take for its first answer when nobody else is left to ask, in the same order; where there
    /// is none, or a shorter one, ``SessionSettings/greetingTimeout``. `ping_timeout`.
    public var aliasAnswerTimeouts: [Duration]
    /// Event loops, each on a thread of its own; at least 1.
    public var workers: Int
    /// Bytes that all sessions together may keep because a peer has no room for them; `nil` is no limit.
    /// `max_buffer_memory`, 256 MiB.
    public var maxBufferMemory: Int?
    /// Whether another process may still serve sessions of these routes, whose cancel requests come here.
    public var hasPredecessor: Bool

    public init(
        routes: [ProxyRoute], aliasLimits: [Int?], aliasWeights: [Int] = [], aliasAnswerTimeouts: [Duration] = [],
        workers: Int, maxBufferMemory: Int? = 256 << 20, hasPredecessor: Bool = false
    ) {
        self.routes = routes
        self.aliasLimits = aliasLimits
        self.aliasWeights = aliasWeights
        self.aliasAnswerTimeouts = aliasAnswerTimeouts
        self.workers = max(1, workers)
        self.maxBufferMemory = maxBufferMemory
        self.hasPredecessor = hasPredecessor
    }
}
