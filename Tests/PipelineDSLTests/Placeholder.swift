import Testing

@testable import PipelineDSL
