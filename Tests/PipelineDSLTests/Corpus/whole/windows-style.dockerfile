# escape=`

FROM mcr.microsoft.com/windows/servercore:ltsc2022
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue';"]
ENV TOOL_HOME="C:\Program Files\Tool" `
    TOOL_VERSION=1.2.3
RUN New-Item -ItemType Directory $env:TOOL_HOME; `
    # download and verify
    Invoke-WebRequest -OutFile tool.zip -Uri ('https://example.com/tool-{0}.zip' -f $env:TOOL_VERSION); `
    if ((Get-FileHash tool.zip -Algorithm sha256).Hash -ne 'ABC') { Write-Host 'FAILED!'; exit 1; }; `
    Expand-Archive tool.zip -DestinationPath $env:TOOL_HOME
WORKDIR C:\work
COPY ["config file.json", "C:\\work\\"]
USER ContainerUser
CMD ["tool.exe", "--config", "C:\\work\\config file.json"]
