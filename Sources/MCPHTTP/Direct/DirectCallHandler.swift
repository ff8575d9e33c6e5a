import HTTPTypes
import Hummingbird
import MCP
import NIOCore
import NIOHTTPTypes

/// Answers tool calls of 2026-07-28 on the channel that they come in on.
///
/// Such a call is one small message that stands alone, and nearly all of what an MCP server is asked. The web framework
/// passes each request through several tasks and queues; that costs more than the call. So calls take this way, and
/// everything else goes on to the framework. What a client sees is the same.
///
/// A connection has one request at work at a time. Whatever the client sends meanwhile waits here.
final class DirectCallHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// The largest body that is taken.
    static let maximumBodyBytes = 64 << 10
    /// As many parts of further requests wait before reading stops.
    private static let maximumWaiting = 16

    private struct Incoming {
        var head: HTTPRequest
        var headers: MessageHeaders
        var body: ByteBuffer?
    }

    private let endpoint: MCPEndpoint
    private let route: DirectRoute
    private var me: NIOLoopBound<DirectCallHandler>?
    private var context: ChannelHandlerContext?

    /// The call whose body is being read.
    private var incoming: Incoming?
    /// The call that is worked on.
    private var answer: PendingAnswer?
    /// What writes an answer piece by piece.
    private var stream: Task<Void, Never>?
    /// The name of the call that is worked on, for the answer.
    private var requestID = ""
    /// How many requests the web framework has yet to answer.
    private var passedOn = 0
    private var waiting = CircularBuffer<HTTPRequestPart>()
    private var hasHeldRead = false
    private var heldErrors: [any Error] = []
    private var hasGone = false

    init(_ endpoint: MCPEndpoint, _ route: DirectRoute) {
        self.endpoint = endpoint
        self.route = route
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.me = NIOLoopBound(self, eventLoop: context.eventLoop)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.clientHasGone()
        self.context = nil
        self.me = nil
    }

    /// Cancels what is worked on, and begins nothing more.
    func clientHasGone() {
        self.hasGone = true
        self.answer?.cancel()
        self.stream?.cancel()
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = self.unwrapInboundIn(data)
        if self.answer == nil { self.take(part, context) } else { self.waiting.append(part) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The framework answers it, but not in the middle of our answer.
        if self.answer == nil { context.fireErrorCaught(error) } else { self.heldErrors.append(error) }
    }

    func read(context: ChannelHandlerContext) {
        // A client that closes its end is noticed by reading; so reading stops only when much waits.
        if self.waiting.count < Self.maximumWaiting { context.read() } else { self.hasHeldRead = true }
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            if self.passedOn == 0, let headers = self.route.headers(ofCall: head) {
                self.incoming = Incoming(head: head, headers: headers)
            } else {
                self.passedOn += 1
                context.fireChannelRead(self.wrapInboundOut(part))
            }
        case .body(var piece):
            guard self.incoming != nil else { return context.fireChannelRead(self.wrapInboundOut(part)) }
            // The decoder sees to it that no more comes than the client announced.
            if self.incoming?.body?.writeBuffer(&piece) == nil { self.incoming?.body = piece }
        case .end:
            guard let incoming = self.incoming else { return context.fireChannelRead(self.wrapInboundOut(part)) }
            self.incoming = nil
            self.begin(incoming)
        }
    }

    private func begin(_ incoming: Incoming) {
        guard let me, self.hasGone == false else { return }
        let answer = PendingAnswer { content in
            me.eventLoop.execute { me.value.write(content) }
        }
        self.answer = answer
        self.requestID = incoming.headers.requestID
        // Not on the event loop: a tool may compute. The channel owns the task and cancels it when the client goes.
        let task = Task { [endpoint] in
            await endpoint.answer(incoming.head, incoming.headers, incoming.body ?? ByteBuffer(), answer)
        }
        answer.attach(task)
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = self.unwrapOutboundIn(data)
        context.write(self.wrapOutboundOut(part), promise: promise)
        guard case .end = part else { return }
        if self.answer == nil { self.passedOn -= 1 } else { self.finish(context) }
    }

    private func write(_ content: PendingAnswer.Content) {
        // Nothing, if the client has gone.
        guard let context else { return }
        switch content {
        case .whole(let status, let body):
            var fields = HTTPFields()
            fields.reserveCapacity(5)
            fields.append(Response.contentTypeJSON)
            fields.append(HTTPField(name: .contentLength, value: String(body.readableBytes)))
            self.route.complete(&fields, self.requestID)
            context.write(self.wrapOutboundOut(.head(HTTPResponse(status: status, headerFields: fields))), promise: nil)
            context.write(self.wrapOutboundOut(.body(body)), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
            self.finish(context)
        case .response(var response):
            self.route.complete(&response.headers, self.requestID)
            let channel = context.channel
            self.stream = Task { [response] in
                do {
                    try await channel.writeAndFlush(HTTPResponsePart.head(response.head))
                    try await response.body.write(ChannelBodyWriter(channel: channel))
                } catch {
                    // The client has gone, or can't be told how the answer ends.
                    channel.close(promise: nil)
                }
            }
        }
    }

    private func finish(_ context: ChannelHandlerContext) {
        self.answer = nil
        self.stream = nil
        var hasPassedOn = false
        while self.answer == nil, let part = self.waiting.popFirst() {
            self.take(part, context)
            hasPassedOn = true
        }
        if hasPassedOn { context.fireChannelReadComplete() }
        if self.answer == nil {
            for error in self.heldErrors { context.fireErrorCaught(error) }
            self.heldErrors = []
        }
        if self.hasHeldRead, self.waiting.count < Self.maximumWaiting {
            self.hasHeldRead = false
            context.read()
        }
    }
}

/// Writes the body of an answer to a channel, as fast as the client reads.
private struct ChannelBodyWriter: ResponseBodyWriter {
    let channel: any Channel

    func write(_ buffer: ByteBuffer) async throws {
        try await self.channel.writeAndFlush(HTTPResponsePart.body(buffer))
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        try await self.channel.writeAndFlush(HTTPResponsePart.end(trailingHeaders))
    }
}
