import PipelineRunner

await PipelineCommand.start()
