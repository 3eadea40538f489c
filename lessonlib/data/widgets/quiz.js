// Shows the questions in every place of the page that waits for them; the plain text that stood there goes.
// `show_questions` is jupyterquiz's, whose script stands before this one.
(() => {
  const ID = '@ID@';
  const questions = '@DATA@';
  for (const question of questions) {
    for (const answer of question.answers) answer.feedback += question.why;
  }
  for (const root of document.querySelectorAll(`[data-quiz="${ID}"]`)) {
    const text = root.querySelector(':scope > pre');
    if (text === null) continue;                 // the questions are there already
    text.remove();
    show_questions(questions, root);
  }
})();
