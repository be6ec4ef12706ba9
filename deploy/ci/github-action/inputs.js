// What both scripts need of the runner: inputs, and running nslookout. Source: docs.github.com, "Metadata syntax" (inputs
// arrive as INPUT_<NAME>, blanks as underscores, in capitals).
'use strict';

const { spawnSync } = require('node:child_process');

function input(name) {
  return (process.env[`INPUT_${name.replace(/ /g, '_').toUpperCase()}`] || '').trim();
}

// One line of text after `::error::`, as GitHub wants it escaped.
function fail(text) {
  const escaped = text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  process.stdout.write(`::error title=nslookout::${escaped}\n`);
  process.exitCode = 1;
}

// Runs nslookout with the terminal of the step; whether it ended with 0. No shell: words stay words.
function nslookout(binary, words) {
  const outcome = spawnSync(binary, words, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (outcome.error) {
    const why = outcome.error.code === 'ENOENT' ? 'there is no such program' : outcome.error.message;
    fail(`${binary}: ${why}. Install nslookout in a step before this one, or give its path as the input "binary".`);
    return false;
  }
  return outcome.status === 0;
}

// Beside the events of `nslookout ci`, whose folder this is unless --work-dir names another one.
function reportPath() {
  return `${process.env.RUNNER_TEMP}/nslookout/report.html`;
}

module.exports = { fail, input, nslookout, reportPath };
