// Starts `mlp lsp` and shows what it says. The language server does all the work; the grammar colours.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

/** The server's side of the conversation, while there is one. */
let client;

async function start() {
  const command = vscode.workspace.getConfiguration("mlp").get("path", "mlp");
  client = new LanguageClient(
    "mlp",
    "mlp",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ scheme: "file", language: "mlp" }],
      // The standard library is in no file: its texts are shown as documents of their own.
      initializationOptions: { libraryText: true },
    },
  );
  try {
    await client.start();
  } catch (error) {
    const choice = await vscode.window.showErrorMessage(
      `mlp: \`${command} lsp\` did not start: ${error.message}. Set mlp.path to the program.`,
      "Open Settings",
    );
    if (choice) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "mlp.path");
    }
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running && running.isRunning()) {
    await running.stop();
  }
}

async function activate(context) {
  context.subscriptions.push(
    vscode.workspace.registerTextDocumentContentProvider("mlp-library", {
      provideTextDocumentContent: (uri) => client?.sendRequest("mlp/libraryText", { uri: uri.toString() }),
    }),
    vscode.commands.registerCommand("mlp.restart", async () => {
      await stop();
      await start();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("mlp.path")) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
