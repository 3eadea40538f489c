// Show the questions in every place of the page that waits for them; the plain text that stood there goes.
function lessonlibQuiz(id, questions, showQuestions) {
  for (const question of questions) {
    for (const answer of question.answers) answer.feedback += question.why;
  }
  for (const root of document.querySelectorAll(`[data-quiz="${id}"]`)) {
    const text = root.querySelector(":scope > pre");
    if (text === null) continue; // the questions are there already
    text.remove();
    showQuestions(questions, root);
  }
}
